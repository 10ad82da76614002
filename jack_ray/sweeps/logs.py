"""What the ranks of a sweep's trials printed, line by line, with the rank in front."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jack_ray.contract.paths import SweepFolder, TrialFolder
from jack_ray.sweeps.standing import read_standing

LOOK_S = 0.3
LAUNCHER = "mpirun"
"""The log of mpirun and the guard, beside those of the ranks."""


@dataclass
class Tail:
    """A log that grows."""

    path: Path
    offset: int = 0
    _rest: bytes = b""

    def read(self) -> list[str]:
        """The whole lines since the last call. A log that was made anew is read from its beginning."""
        try:
            with self.path.open("rb") as opened:
                size = opened.seek(0, 2)
                if size < self.offset:
                    self.offset, self._rest = 0, b""
                opened.seek(self.offset)
                content = opened.read()
        except OSError:
            return []
        self.offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [text for line in lines if (text := shown(line))]

    def rest(self) -> list[str]:
        """A last line without an end."""
        rest, self._rest = self._rest, b""
        return [shown(rest)] if rest.strip() else []


def shown(line: bytes) -> str:
    """A line as a terminal leaves it: of what was written over itself, the last."""
    parts = [part for part in line.decode("utf-8", "replace").split("\r") if part.strip()]
    return parts[-1].rstrip() if parts else ""


def log_files(folder: TrialFolder, rank: int | None = None) -> dict[str, Path]:
    """Who -> its log, the ranks in order, mpirun last; rank: this one alone."""
    ranks = folder.launcher_log.parent
    logs = {f"rank {int(path.stem)}": path for path in sorted(ranks.glob("[0-9]*.log"))}
    if rank is not None:
        return {name: path for name, path in logs.items() if name == f"rank {rank}"}
    return logs | ({LAUNCHER: folder.launcher_log} if folder.launcher_log.exists() else {})


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log that are not empty."""
    tail = Tail(path)
    lines = [*tail.read(), *tail.rest()]
    return [line for line in lines if line][-count:]


@dataclass
class Stream:
    """The logs of a whole sweep, or of one trial or rank of it."""

    folder: SweepFolder
    trial: str | None = None
    rank: int | None = None
    _tails: dict[Path, tuple[str, Tail]] = field(default_factory=dict)

    def read(self) -> Iterator[str]:
        """All lines since the last call; new trials and ranks join."""
        standing = read_standing(self.folder)
        trials = dict.fromkeys([self.trial] if self.trial else [trial.id for trial in standing.trials])
        for trial in trials:
            for who, path in log_files(standing.trial_folder(trial), self.rank).items():
                name, tail = self._tails.setdefault(path, (f"{trial} {who}", Tail(path)))
                yield from (f"{name} | {line}" for line in tail.read())

    def rest(self) -> Iterator[str]:
        """The last lines, where they have no end."""
        for name, tail in self._tails.values():
            yield from (f"{name} | {line}" for line in tail.rest())

    def follow(self) -> Iterator[str]:
        """Lines as they come, over attempts and new trials, until the sweep has ended."""
        while True:
            alive = read_standing(self.folder).is_alive  # looked at first: nothing is written after the end
            yield from self.read()
            if not alive:
                break
            time.sleep(LOOK_S)
        yield from self.rest()
