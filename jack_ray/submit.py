"""python -m jack_ray.submit jobs/sweep.yaml: send a command to a Ray cluster, and look after it."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.jobs_api.file import DEFAULT_ADDRESS, address_faults, load_job
from jack_ray.place.ray_environment import client_variables

if TYPE_CHECKING:
    from jack_ray.jobs_api.client import Jobs, Standing

HELP = """\
python -m jack_ray.submit FILE [-f] [KEY=VALUE ...]     send a job; -f: print what it prints until it ends
python -m jack_ray.submit logs [ID] [-f]                what a job has printed
python -m jack_ray.submit status [ID]                   how it stands
python -m jack_ray.submit stop ID                       stop it as Ctrl-C would; the same command goes on later
python -m jack_ray.submit list                          all jobs, the newest first

  FILE             a job file, as jobs/sweep.yaml
  KEY=VALUE        name=, working_dir=, address=, env=, cpus= change the job; every other word joins its command:
                   python -m jack_ray.submit jobs/sweep.yaml train.steps=200
  ID               the front of it is enough where only one job begins so; without it the newest job is meant
  address=URL      of the cluster's dashboard (default: RAY_API_SERVER_ADDRESS, or http://127.0.0.1:8265)

The command runs on the cluster's head. The token is RAY_AUTH_TOKEN, or in ~/.ray/auth_token.
Exit code 0: well. 1: the job failed. 2: it could not be done; the message says why. 130: the job was stopped.
"""

COMMANDS = ("logs", "status", "stop", "list")
CODES = {"SUCCEEDED": 0, "FAILED": 1, "STOPPED": 130}


def main(arguments: Sequence[str]) -> int:
    """Send a job, or carry out a command on jobs. Raises JackRayError."""
    words = [word for word in arguments if word not in ("-f", "--follow")]
    follows = len(words) < len(arguments)
    if not words or words[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    if words[0] in COMMANDS:
        return _look_after(words[0], words[1:], follows)
    file = Path(words[0])
    typed = words[1:]
    if not any(word.startswith("address=") for word in typed) and "RAY_API_SERVER_ADDRESS" in os.environ:
        typed.append(f"address={os.environ['RAY_API_SERVER_ADDRESS']}")
    job = load_job(file, typed)
    jobs = _jobs(job.address)
    job_id = jobs.submit(job, file)
    print(f"Submitted {job_id}", flush=True)
    if follows:
        return _follow(jobs, job_id)
    address = "" if job.address == DEFAULT_ADDRESS else f" address={job.address}"
    print(f"python -m jack_ray.submit logs {job_id} -f{address}")
    return 0


def _look_after(command: str, words: Sequence[str], follows: bool) -> int:
    typed = [word for word in words if not word.startswith("address=")]
    named = [word.partition("=")[2] for word in words if word.startswith("address=")]
    address = (named or [os.environ.get("RAY_API_SERVER_ADDRESS", DEFAULT_ADDRESS)])[-1]
    faults = address_faults(address, "address")
    if len(typed) > (0 if command == "list" else 1):
        faults.append(Fault(command, " ".join(typed), "nothing" if command == "list" else "one job"))
    if command == "stop" and not typed:
        faults.append(Fault("stop", "no job", "the id of a job", "`list` tells them."))
    if follows and command != "logs":
        faults.append(Fault(command, "-f", "-f with logs alone"))
    if faults:
        raise ConfigError(faults)
    jobs = _jobs(address)
    if command == "list":
        for job in jobs.all():
            print(_line(job))
        return 0
    job = jobs.find(typed[0] if typed else "")
    if command == "logs":
        if follows:
            return _follow(jobs, job.id)
        print(jobs.logs(job.id), end="")
        return 0
    if command == "stop":
        job = jobs.stop(job.id)
        print(_line(job))
        return 0 if job.has_ended else 1
    print(_line(job) + (f"\n    {job.message}" if job.message else ""))
    return 0


def _follow(jobs: "Jobs", job_id: str) -> int:
    job = jobs.follow(job_id)
    print(_line(job))
    return CODES[job.status]


def _line(job: "Standing") -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(job.began)) if job.began else "not begun"
    minutes, seconds = divmod(round((job.ended or time.time()) - job.began) if job.began else 0, 60)
    return f"{job.id}  {job.status.lower():9}  {when}  {minutes}:{seconds:02}  {job.command}"


def _jobs(address: str) -> "Jobs":
    os.environ |= client_variables()  # Ray reads them while it is imported
    from jack_ray.jobs_api.client import Jobs

    return Jobs(address)


def _run(arguments: Sequence[str]) -> int:
    try:
        return main(arguments)
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted. A job that was submitted goes on: `python -m jack_ray.submit list`.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
