"""What grew in a trial's folder on a machine that shares no disk with the one that wants to see it.

Logs, events and numbers are small and grow at their end, so their new bytes travel with the news; files for people
and reasons of failures are small and travel whole. Checkpoints are large and travel through the storage
(spawn/storage.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.files import replacing
from jack_ray.contract.paths import TrialFolder

_MAX_BYTES = 4 << 20
"""Of one delivery; the rest goes with the next."""


@dataclass(frozen=True)
class Piece:
    """Bytes of one file."""

    path: str
    """Relative to the trial's folder."""
    data: bytes
    whole: bool
    """Whether they replace the file, or are added at its end."""


class Mirror:
    """Remembers what was delivered of a folder."""

    def __init__(self, folder: TrialFolder) -> None:
        self._folder = folder
        self._sizes: dict[Path, int] = {}
        self._stamps: dict[Path, tuple[int, int]] = {}

    def news(self) -> list[Piece]:
        """What is new since the last call; files are taken in the order in which they must arrive."""
        pieces: list[Piece] = []
        room = _MAX_BYTES
        for path in self._growing():
            piece = self._grown(path, room)
            if piece is not None:
                room -= len(piece.data)
                pieces.append(piece)
        return [*self._replaced(), *pieces]

    def _growing(self) -> Iterator[Path]:
        # events come last: whoever reads of a file in them finds it
        yield from sorted(self._folder.log(0).parent.glob("*.log"))
        yield self._folder.system
        yield self._folder.events

    def _grown(self, path: Path, room: int) -> Piece | None:
        sent = self._sizes.get(path, 0)
        try:
            with path.open("rb") as opened:
                opened.seek(sent)
                data = opened.read(room)
        except OSError:
            return None
        if not data:
            return None
        self._sizes[path] = sent + len(data)
        return Piece(str(path.relative_to(self._folder.path)), data, whole=False)

    def _replaced(self) -> Iterator[Piece]:
        found = [*self._folder.failure(0).parent.glob("*.json"), self._folder.best]
        found += [path for path in self._folder.artifacts.rglob("*") if path.is_file()]
        for path in found:
            try:
                status = path.stat()
                stamp = (status.st_mtime_ns, status.st_size)
                if path.name.startswith(".") or self._stamps.get(path) == stamp:
                    continue
                data = path.read_bytes()
            except OSError:
                continue
            self._stamps[path] = stamp
            yield Piece(str(path.relative_to(self._folder.path)), data, whole=True)


def apply(folder: TrialFolder, pieces: list[Piece]) -> None:
    """Write what arrived. Raises OSError when the disk is full, ValueError for a path that leaves the folder."""
    for piece in pieces:
        path = folder.path / piece.path
        if not path.resolve().is_relative_to(folder.path.resolve()):
            raise ValueError(f"{piece.path} is not below a trial's folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        if piece.whole:
            with replacing(path) as temporary:
                temporary.write_bytes(piece.data)
        else:
            with path.open("ab") as opened:
                opened.write(piece.data)
