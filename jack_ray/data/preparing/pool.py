"""Videos prepared one after the other in this process, or several at once as Ray tasks."""

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jack_ray.contract.environment import python_path
from jack_ray.contract.errors import JackRayError, PlaceError
from jack_ray.data.preparing.convert import CRASHED, Job, Outcome, convert
from jack_ray.place.local_ray import LocalRay
from jack_ray.place.ray_environment import ray_variables

Done = tuple[Job, Outcome]


def here(jobs: Sequence[Job]) -> Iterator[Done]:
    """One after the other. A file that crashes the decoder ends this process."""
    for job in jobs:
        yield job, convert(job)


def on_ray(jobs: Sequence[Job], workers: int, work: Callable[[Job], Outcome] = convert) -> Iterator[Done]:
    """Several at a time on a Ray of this machine, in the order in which they end.

    work: what is done with each. A video whose process ends is tried once more, since that may have been another's
    doing; then it is told as crashed. Raises PlaceError if Ray cannot be started, and JackRayError of a task.
    """
    if "ray" not in sys.modules:  # it reads them once, while it is imported
        os.environ.update(ray_variables(None))
    with tempfile.TemporaryDirectory(prefix="jack_ray-prepare-") as folder:
        local = LocalRay(Path(folder))
        try:
            yield from _run(jobs, workers, local.address, work)
        finally:
            _disconnect()
            local.stop()


def _run(jobs: Sequence[Job], workers: int, address: str, work: Callable[[Job], Outcome]) -> Iterator[Done]:
    import ray

    logging.getLogger("ray").setLevel(logging.CRITICAL)  # it tells of a dead worker in a paragraph
    try:
        ray.init(
            address=address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            configure_logging=False,
            runtime_env={"env_vars": {"PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1"}},
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise PlaceError(f"Ray was started and does not answer: {error}") from error
    if threading.current_thread() is threading.main_thread():
        # Ray's own handler ends the process with a page of addresses; a batch system's SIGTERM is like Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    # no core of its own: `workers` says how many there are at a time
    task = ray.remote(num_cpus=0, max_retries=0)(work)
    waiting: dict[Any, Job] = {}
    crashed: set[str] = set()
    left = list(reversed(jobs))
    while left or waiting:
        while left and len(waiting) < workers:
            job = left.pop()
            waiting[task.remote(job)] = job
        ready, _ = ray.wait(list(waiting), num_returns=1)
        job = waiting.pop(ready[0])
        outcome = _outcome(job, ready[0])
        if outcome.status == CRASHED and job.name not in crashed:
            crashed.add(job.name)
            left.append(job)
            continue
        yield job, outcome


def _outcome(job: Job, reference: Any) -> Outcome:
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        outcome: Outcome = ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, JackRayError):
            raise error.cause from error
        raise
    except RayError as error:
        return Outcome(job.name, CRASHED, f"decoding it ended the process, twice ({type(error).__name__})")
    return outcome


def _disconnect() -> None:
    import ray

    ray.shutdown()
