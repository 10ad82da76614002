"""Which sweep is meant: its id, a trial's, an MLflow run's, or the beginning of one of these."""

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.paths import SweepFolder, sweep_folder, trial_folder
from jack_ray.sweeps.standing import Standing, read_standing

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_HEX = re.compile(r"[0-9a-f]+")
SHOWN = 6
"""Ids that a message lists."""


@dataclass(frozen=True)
class Found:
    """What an id stands for."""

    folder: SweepFolder
    trial: str | None = None
    """The trial that was meant; None: the whole sweep."""


@dataclass
class Shelf:
    """All sweeps below a runs folder, and the ids by which they are found."""

    runs: Path
    uri: str | None = None
    """The MLflow store in which a run id is looked up when no folder knows it; None: `tracking.uri` of `conf/`."""

    @cached_property
    def standings(self) -> list[Standing]:
        """Newest first."""
        folders = [path.parent for path in self.runs.glob("sweeps/*/sweep.json")]
        folders += [path.parent for path in self.runs.glob("sweeps/*/status.json") if path.parent not in folders]
        kept = [path for path in folders if ".replaced-" not in path.name]
        read = [read_standing(SweepFolder(path)) for path in kept]
        return sorted(read, key=lambda standing: standing.status.began, reverse=True)

    def find(self, word: str | None = None) -> Found:
        """The sweep, or the trial in its newest sweep, that a word names; none: the newest sweep.

        Raises JackRayError for a word that names nothing or several things.
        """
        if not self.standings:
            raise JackRayError(f"there is no sweep in {self.runs / 'sweeps'}; type --runs FOLDER for another place")
        if word is None:
            return Found(self.standings[0].folder)
        word = word.rstrip("/").rpartition("/")[2]  # a folder's path is an id, too
        known = self._known(has_runs=_HEX.fullmatch(word) is not None)
        if word in known:
            return known[word]
        alike = sorted(name for name in known if begins(name, word))
        if len({known[name] for name in alike}) == 1 and word:
            return known[alike[0]]
        if len(alike) > 1:
            raise JackRayError(f"{word} is the beginning of {len(alike)} ids: {listed(alike)}; type more of it")
        if _RUN_ID.fullmatch(word):
            return self._of_mlflow(word, self.uri or default_uri())
        raise JackRayError(self._unknown(word, list(known)))

    def _known(self, has_runs: bool) -> dict[str, Found]:
        known: dict[str, Found] = {}
        for standing in self.standings:  # newest first: a trial stands for itself in its newest sweep
            known.setdefault(standing.id, Found(standing.folder))
            for trial in standing.trials:
                known.setdefault(trial.id, Found(standing.folder, trial.id))
        return known | self._of_runs(known) if has_runs else known

    def _of_runs(self, known: dict[str, Found]) -> dict[str, Found]:
        """The run ids that were written down beside trials and sweeps."""
        found = {}
        for standing in self.standings:
            for run_id in sweep_runs(standing.folder):
                found[run_id] = Found(standing.folder)
            for trial in standing.trials:
                for sweep_id, run_id in trial_runs(self.runs, trial.id):
                    sweep = known.get(sweep_id, Found(standing.folder))
                    found[run_id] = Found(sweep.folder, trial.id)
        return found

    def _of_mlflow(self, run_id: str, uri: str) -> Found:
        from jack_ray.upload.mlflow_runs import run_tags  # takes seconds to import

        tags = run_tags(run_id, uri)
        sweep_id, trial = tags.get("jack_ray.sweep", ""), tags.get("jack_ray.trial")
        folder = sweep_folder(self.runs, sweep_id)
        if not sweep_id or not folder.path.is_dir():
            raise JackRayError(
                f"run {run_id} belongs to sweep {sweep_id or '?'}, which is not in {self.runs / 'sweeps'}"
            )
        return Found(folder, trial)

    def _unknown(self, word: str, known: list[str]) -> str:
        close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
        if close:
            return f"nothing is called {word}; did you mean {close[0]}?"
        return f"nothing is called {word}; there are {listed(standing.id for standing in self.standings)}"


def begins(name: str, word: str) -> bool:
    """Whether a word is the beginning of an id, or of its digits."""
    return name.startswith(word) or name.partition("-")[2].startswith(word)


def sweep_runs(folder: SweepFolder) -> list[str]:
    """The MLflow runs of a sweep, one a store."""
    try:
        runs = json.loads(folder.tracking.read_text(encoding="utf-8"))["runs"]
        return [str(run_id) for run_id in runs.values()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def trial_runs(runs: Path, trial_id: str) -> list[tuple[str, str]]:
    """(sweep id, run id) of a trial, one a store and sweep."""
    try:
        records = json.loads(trial_folder(runs, trial_id).tracking.read_text(encoding="utf-8"))
        return [(str(record["sweep"]), str(record["run_id"])) for record in records if record["run_id"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def default_runs() -> Path:
    """`site.runs` of `conf/`, as a launch in this folder takes it."""
    return Path(_site()["site"]["runs"]).resolve()


def default_uri() -> str:
    """`tracking.uri` of `conf/`, as a launch in this folder takes it."""
    from jack_ray.upload.uri import absolute_uri

    return absolute_uri(_site()["tracking"]["uri"])


def _site() -> dict[str, dict[str, str]]:
    from jack_ray.compose.load import absolute, groups, load  # it loads Hydra, which --runs makes needless

    return absolute(load([f"model={groups()['model'][0]}"]))


def listed(names: Iterable[str]) -> str:
    """Some names in a line, the first of them if they are many."""
    all_of_them = list(names)
    more = f" and {len(all_of_them) - SHOWN} more" if len(all_of_them) > SHOWN else ""
    return ", ".join(all_of_them[:SHOWN]) + more
