"""A cluster's jobs, asked of its dashboard."""

import asyncio
import getpass
import logging
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import ray
from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient

from jack_ray.contract.errors import JackRayError, PlaceError
from jack_ray.contract.settings import nearest
from jack_ray.jobs_api.file import Job

CONNECT_S = 5.0
STOP_S = 60
"""How long a stopped command may take to end its trials before it is killed."""

_ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.STOPPED)


@dataclass(frozen=True)
class Standing:
    """How a job stands."""

    id: str
    status: str
    began: float | None
    """In seconds since 1970; None before it began."""
    ended: float | None
    command: str
    message: str

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.status in _ENDED


class Jobs:
    """The jobs of one cluster.

    The variables of `place.ray_environment.client_variables` must be set before this module is imported.
    Raises PlaceError when nobody answers at the address, or the token is refused.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        logging.getLogger("ray").setLevel(logging.ERROR)
        self._refuse_silent()
        with self._told():
            self._client = JobSubmissionClient(self.address)

    def _refuse_silent(self) -> None:
        parts = urlsplit(self.address)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            socket.create_connection((parts.hostname or "", port), timeout=CONNECT_S).close()
        except (OSError, ValueError) as error:
            raise PlaceError(
                f"Nobody answers at {self.address} ({getattr(error, 'strerror', None) or error}). "
                "`ray dashboard cluster.yaml`, left running, brings a cluster's dashboard to http://127.0.0.1:8265."
            ) from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except AuthenticationError as error:
            kind = "asks for a token" if "Missing" in str(error) else "refuses the token"
            raise PlaceError(
                f"{self.address} {kind}. Put the cluster's token into ~/.ray/auth_token, or set RAY_AUTH_TOKEN."
            ) from error
        except (OSError, aiohttp.ClientError) as error:  # those of requests are OSErrors
            raise PlaceError(f"{self.address} does not answer as Ray's dashboard does: {_first(error)}") from error
        except RuntimeError as error:  # whatever the dashboard answers besides 200
            raise JackRayError(f"{self.address}: {_first(error)} (Ray here: {ray.__version__})") from error

    def submit(self, job: Job, file: Path) -> str:
        """Send a job; its id, which is the name, the time and four random digits."""
        job_id = f"{job.name}-{time.strftime('%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        fixed = {"PYTHONUNBUFFERED": "1", "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_S)}
        fixed["RAY_OVERRIDE_JOB_RUNTIME_ENV"] = "1"  # a launch sets PYTHONPATH, too; Ray would refuse two of them
        with self._told():
            self._client.submit_job(
                entrypoint=job.command(),
                submission_id=job_id,
                runtime_env={"env_vars": {**fixed, **job.env}},
                metadata={"file": str(file), "user": getpass.getuser()},
                entrypoint_num_cpus=job.cpus or None,
            )
        return job_id

    def all(self) -> list[Standing]:
        """Every job that was submitted, the newest first."""
        with self._told():
            found = self._client.list_jobs()
        known = [info for info in found if info.submission_id]
        return [_standing(info) for info in sorted(known, key=lambda info: info.start_time or 0, reverse=True)]

    def find(self, typed: str) -> Standing:
        """A job by its id, by the front of it where that is one job's alone, or (typed nothing) the newest."""
        jobs = self.all()
        if not jobs:
            raise JackRayError(f"{self.address} has no jobs yet.")
        if not typed:
            return jobs[0]
        same = [job for job in jobs if job.id == typed]
        alike = same or [job for job in jobs if job.id.startswith(typed)]
        if len(alike) > 1:
            raise JackRayError(f"{typed} may be {', '.join(sorted(job.id for job in alike))}. Type more of it.")
        if not alike:
            raise JackRayError(f"There is no job {typed}. {nearest(typed, [job.id for job in jobs])}")
        return alike[0]

    def stop(self, job_id: str) -> Standing:
        """Stop a job as Ctrl-C would; returns when it has ended."""
        with self._told():
            self._client.stop_job(job_id)
        deadline = time.monotonic() + STOP_S + 30.0
        while not (standing := self.find(job_id)).has_ended and time.monotonic() < deadline:
            time.sleep(0.5)
        return standing

    def logs(self, job_id: str) -> str:
        """What a job has printed."""
        with self._told():
            return str(self._client.get_job_logs(job_id))

    def follow(self, job_id: str) -> Standing:
        """Print what a job prints until it ends."""
        with self._told():
            asyncio.run(self._print(job_id))
        while not (standing := self.find(job_id)).has_ended:  # the logs end a moment before the job does
            time.sleep(0.2)
        return standing

    async def _print(self, job_id: str) -> None:
        async for text in self._client.tail_job_logs(job_id):
            print(text, end="", flush=True)


def _standing(info: "ray.job_submission.JobDetails") -> Standing:
    return Standing(
        id=info.submission_id,
        status=str(info.status.value),
        began=info.start_time / 1000 if info.start_time else None,
        ended=info.end_time / 1000 if info.end_time else None,
        command=info.entrypoint,
        message=info.message or "",
    )


def _first(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
