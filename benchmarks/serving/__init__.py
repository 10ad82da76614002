"""How long an answer takes over HTTP, and how many come in a second, beside one process with PyTorch.

Ours is `python -m jack_ray.serve` with one replica: a door, Ray Serve, and a process behind the wall. The rival is the
script that one would write for oneself (`benchmarks/serving/rival.py`): Python's own HTTP server, which answers one
request after the other in the process that holds the model; no token, no limits, no versions. Both have the same
weights and read files with the same code, and their answers are compared first.
"""

import http.client
import math
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, ratio
from benchmarks.options import Options
from benchmarks.serving_scene import Answer, Server, Video, prepare, serving, videos
from jack_ray.contract.environment import PACKAGE_PARENT

ALONE, TOGETHER = 100, 200
"""Requests of one client, and of several in all."""
CLIENTS = 8
WARM = 10
CLOSE = 1e-3


def measure(options: Options) -> Iterator[Figure]:
    """Seconds of one client's requests, and answers a second for several."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scene = prepare(folder)
        known = videos(folder)
        words = ["replicas=1", f"threads={options.threads}", "max_waiting=256"]
        weights = next((folder / "runs/trials" / scene.trials[0] / "checkpoints").glob("step-*"))
        with serving(scene, words) as ours, rival(weights, options.threads) as theirs:
            _compare(ours, theirs, known)
            sides = [
                (_times(one, known), _throughput(one, known)) for _ in range(options.repeat) for one in (ours, theirs)
            ]
    mine, others = sides[::2], sides[1::2]
    for metric, share in (("latency_p50", 0.5), ("latency_p95", 0.95)):
        both = [statistics.median(_quantile(times, share) for times, _ in side) for side in (mine, others)]
        yield ratio("serving.tsl_small", metric, 1000 * both[0], 1000 * both[1], "ms, one client")
    both = [statistics.median(rate for _, rate in side) for side in (mine, others)]
    yield ratio("serving.tsl_small", "throughput", both[0], both[1], f"answers/s, {CLIENTS} clients")


@contextmanager
def rival(checkpoint: Path, threads: int) -> Iterator[Server]:
    """The script in a process of its own."""
    argv = [sys.executable, "-m", "benchmarks.serving.rival", str(checkpoint), str(threads)]
    process = subprocess.Popen(argv, cwd=PACKAGE_PARENT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"port (\d+)", process.stdout.readline())
        if found is None:
            raise SystemExit("error: the rival did not start")
        yield Server(checkpoint, process, int(found[1]), "none")
    finally:
        process.kill()
        process.wait()


def _compare(ours: Server, theirs: Server, known: Sequence[Video]) -> None:
    for video in known:
        found = [side.predict(video.body()) for side in (ours, theirs)]
        mine, other = (answer.body["probabilities"] for answer in found)
        if any(not math.isclose(mine[label], other[label], abs_tol=CLOSE) for label in mine):
            raise SystemExit(f"error: {video.name}: {mine} here, {other} by PyTorch")


def _asking(server: Server, known: Sequence[Video], count: int, took: list[float]) -> Callable[[], None]:
    bodies = [video.body() for video in known]

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        for number in range(count):
            began = time.perf_counter()
            answer: Answer = server.predict(bodies[number % len(bodies)], connection)
            took.append(time.perf_counter() - began)
            if answer.status != 200:
                raise SystemExit(f"error: {answer}")
        connection.close()

    return ask


def _times(server: Server, known: Sequence[Video]) -> list[float]:
    took: list[float] = []
    _asking(server, known, WARM + ALONE, took)()
    return took[WARM:]


def _throughput(server: Server, known: Sequence[Video]) -> float:
    took: list[float] = []
    asking = [threading.Thread(target=_asking(server, known, TOGETHER // CLIENTS, took)) for _ in range(CLIENTS)]
    began = time.perf_counter()
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    if len(took) != TOGETHER // CLIENTS * CLIENTS:
        raise SystemExit("error: a client was not answered")
    return len(took) / (time.perf_counter() - began)


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
