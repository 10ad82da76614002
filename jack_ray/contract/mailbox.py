"""How a gang that stays is handed its next trial: files in a folder of the machine that its first rank runs on.

`next-3.json` names the third trial that came after the first, `done-3` says that all ranks have done with it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from jack_ray.contract.files import write_json

VARIABLE = "JACK_RAY_MAILBOX"
"""Names the folder to the ranks; without it they end with their trial."""


@dataclass(frozen=True)
class Handed:
    """What the ranks are to do next."""

    trial_file: str
    attempt: int


class Mailbox:
    """The folder; numbers count the trials from 0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hand(self, number: int, handed: Handed) -> None:
        """Put the next trial there."""
        write_json(self.folder / f"next-{number}.json", asdict(handed))

    def handed(self, number: int) -> Handed | None:
        """The trial of that number, once it is there."""
        try:
            return Handed(**json.loads((self.folder / f"next-{number}.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def finish(self, number: int) -> None:
        """Every rank has done with it."""
        (self.folder / f"done-{number}").touch()

    def is_done(self, number: int) -> bool:
        """Whether every rank has done with it."""
        return (self.folder / f"done-{number}").exists()
