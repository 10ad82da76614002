"""What a rank tells the outside: signs of life from all, events from rank 0."""

import time
from pathlib import Path
from typing import Any

from jack_ray.contract import events
from jack_ray.contract.paths import TrialFolder

BEAT_S = 0.5
"""No more than one sign of life in this time; a small fraction of any time-out."""
MAX_NOTED = 10
"""Samples that cannot be read are told up to this many; a spoiled disk has thousands."""


class Report:
    """The outgoing side of one rank."""

    def __init__(self, folder: TrialFolder, rank: int, attempt: int) -> None:
        self.folder = folder
        self.rank = rank
        self.attempt = attempt
        self._last_beat = 0.0
        self._noted: set[str] = set()
        folder.beat(rank).parent.mkdir(parents=True, exist_ok=True)
        self.beat()

    def beat(self) -> None:
        """Show that this rank gets on. Called by the code that trains, so that a hanging step falls silent."""
        now = time.monotonic()
        if now - self._last_beat >= BEAT_S:
            self._last_beat = now
            self.folder.beat(self.rank).touch()

    def _event(self, kind: str, step: int | None, values: dict[str, float] | None = None, **about: Any) -> None:
        if self.rank == 0:
            events.append(self.folder.events, events.new(kind, self.attempt, step, values, **about))

    def started(self, **about: Any) -> None:
        """An attempt begins."""
        self._event("started", None, None, **about)

    def phase(self, name: str, step: int | None = None) -> None:
        """What goes on while no step ends; `step` are the steps done, where that is news."""
        self._event("phase", step, None, name=name)

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """Numbers of a step; the names carry their split: `train/total`, `val/average_mAP`."""
        self._event("metrics", step, values)

    def checkpoint(self, step: int, path: Path, best: bool, value: float | None) -> None:
        """A checkpoint stands on disk."""
        self._event("checkpoint", step, None, path=path.name, best=best, value=value)

    def artifact(self, step: int, path: Path) -> None:
        """A file for people stands in the artifacts folder."""
        self._event("artifact", step, None, path=str(path.relative_to(self.folder.artifacts)))

    def note(self, text: str) -> None:
        """Something that the user should read once."""
        self._event("note", None, None, text=text)

    def note_once(self, text: str) -> None:
        """The same, if it was not said before; of very many only the first, the others are in this rank's log."""
        if text in self._noted:
            return
        self._noted.add(text)
        if len(self._noted) <= MAX_NOTED:
            self.note(text)
            return
        if len(self._noted) == MAX_NOTED + 1:
            self.note(f"more like this are in {self.folder.log(self.rank)}")
        if self.rank == 0:
            print(text, flush=True)

    def finished(self, step: int, values: dict[str, float]) -> None:
        """The trial is complete."""
        self._event("finished", step, values)
