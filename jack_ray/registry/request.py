"""What was typed after `jack_ray.promote` -> a checked request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jack_ray.apply.request import read_words
from jack_ray.contract.checkpoint import ABOUT, MODEL
from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.upload import absolute_uri

OWN = {"run": "", "name": "", "alias": "", "data_note": "", "force": "false"}

PLACES = ("site", "tracking")
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,199}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,199}")
_RESERVED = re.compile(r"latest|v\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """A run that is to be registered."""

    run: str
    name: str
    alias: str
    """Empty: none is set."""
    data_note: str
    """What the data is and on whose terms, in the user's words; may be empty."""
    force: bool
    """Also a run that has not finished."""
    runs: Path
    uri: str

    @property
    def run_id(self) -> str:
        """The MLflow run that was named; empty where it was a trial."""
        return self.run if _RUN_ID.fullmatch(self.run) else ""


def read_request(arguments: Sequence[str]) -> Request:
    """Check the words of a command. Raises ConfigError with every fault."""
    refusal = ("would make it another model", "only where things lie: tracking.uri, site.runs")
    values, places = read_words(arguments, OWN, PLACES, refusal, _faults)
    if places["tracking"]["kind"] == "none":
        raise ConfigError([Fault("tracking=none", "no MLflow", "one to register in", "Leave it out, or type its URI.")])
    uri = places["tracking"]["uri"]
    runs = Path(places["site"]["runs"])
    force = values["force"] == "true"
    return Request(values["run"], values["name"], values["alias"], values["data_note"], force, runs, absolute_uri(uri))


def _faults(values: Mapping[str, str]) -> list[Fault]:
    faults = []
    run = values["run"]
    if not run or run.startswith("models:"):
        found = "a model that is registered already" if run else "not typed"
        faults.append(Fault(f"run={run}", found, "run=RUN: an MLflow run id, a trial's id or its folder"))
    elif (Path(run).expanduser() / ABOUT).is_file() or Path(run).name == MODEL:
        remedy = "The numbers of a run are those of its best checkpoint, which is taken."
        faults.append(
            Fault(f"run={run}", "a single checkpoint", "an MLflow run id, a trial's id or its folder", remedy)
        )
    name, alias = values["name"], values["alias"]
    if not _NAME.fullmatch(name):
        found = "not a name for a model" if name else "not typed"
        faults.append(Fault(f"name={name}", found, "letters, digits, _ . and -, such as name=tsl"))
    if alias and (not _ALIAS.fullmatch(alias) or _RESERVED.fullmatch(alias)):
        found = "reserved by MLflow" if _RESERVED.fullmatch(alias) else "not an alias"
        faults.append(Fault(f"alias={alias}", found, "letters, digits, _ and -, such as alias=champion"))
    if values["force"] not in ("true", "false"):
        faults.append(Fault(f"force={values['force']}", "neither true nor false", "force=true"))
    return faults
