"""A job file: what `python -m jack_ray.submit` sends to a cluster."""

import dataclasses
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.contract.settings import nearest, read, setting

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
"""Where `ray dashboard` and Ray itself put the dashboard, which takes the jobs."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Job:
    """What a job file holds; a file without a setting has that of `OPTIONAL`."""

    name: str = setting("begins the job's id: letters, digits, - and _")
    entrypoint: tuple[str, ...] = setting("the command, a word for each argument; words typed after the file follow it")
    working_dir: str | None = setting("the folder of the cluster's head in which it runs; null: one of Ray's")
    env: dict[str, str] = setting(  # noqa: RUF009  (it makes a field, as dataclasses.field does)
        "environment variables; Ray shows them to everybody who may see jobs"
    )
    address: str = setting("of the dashboard")
    cpus: float = setting("cores that the command itself takes; its trials ask for their own", ge=0)

    def command(self) -> str:
        """The command for the head's shell. A `~` at the front of the folder is the head's home."""
        words = shlex.join(self.entrypoint)
        return words if self.working_dir is None else f"cd {_quoted(self.working_dir)} && exec {words}"


OPTIONAL: dict[str, Any] = {"working_dir": None, "env": {}, "address": DEFAULT_ADDRESS, "cpus": 0.0}


def _quoted(folder: str) -> str:
    if folder == "~":
        return folder
    return f"~/{shlex.quote(folder[2:])}" if folder.startswith("~/") else shlex.quote(folder)


def load_job(path: Path, words: Sequence[str]) -> Job:
    """A job file, changed by words: `KEY=VALUE` sets one of the file's own keys, every other word joins the command.

    Raises ConfigError with all faults at once, JackRayError when there is no such file or it is not YAML.
    """
    values = _values(path)
    keys = {field.name for field in dataclasses.fields(Job)}
    typed = [word for word in words if word.partition("=")[0] in keys and "=" in word]
    faults = []
    for word in typed:
        key, _, text = word.partition("=")
        try:
            values[key] = yaml.safe_load(text) if key != "name" else text
        except yaml.YAMLError:
            faults.append(Fault(f"job.{key}", repr(text), "a value in YAML"))
    job, found = read(Job, OPTIONAL | values, "job")
    faults += found or _faults(job)
    if faults or job is None:
        raise ConfigError(faults, hint=f"The file: {path}")
    more = tuple(word for word in words if word not in typed)
    return dataclasses.replace(job, entrypoint=job.entrypoint + more)


def _values(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        near = nearest(path.name, sorted(file.name for file in Path("jobs").glob("*.yaml")))
        raise JackRayError(f"{path}: {error.strerror}. In jobs/: {near}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise JackRayError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, Mapping):
        raise JackRayError(f"{path} is no job file; expected at least `name: ...` and `entrypoint: [...]`")
    return {str(key): value for key, value in values.items()}


def _faults(job: Job | None) -> list[Fault]:
    assert job is not None
    faults = []
    if not _NAME.fullmatch(job.name):
        faults.append(Fault("job.name", repr(job.name), "letters, digits, - and _"))
    if not job.entrypoint:
        faults.append(Fault("job.entrypoint", "no words", "a command, as [python, -m, jack_ray.launch, model=tsl]"))
    faults += [
        Fault("job.env", repr(name), "names of letters, digits and _")
        for name in job.env
        if not _VARIABLE.fullmatch(name)
    ]
    return faults + address_faults(job.address, "job.address")


def address_faults(address: str, where: str) -> list[Fault]:
    """What is wrong with the address of a dashboard."""
    if re.fullmatch(r"https?://[^/\s]+/?", address):
        return []
    return [Fault(where, repr(address), f"http://host:port, as {DEFAULT_ADDRESS}")]
