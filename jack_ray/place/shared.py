"""A lead's or a mate's end of the shelf of compiled operators. Best effort: what cannot be shared is compiled."""

from contextlib import suppress
from pathlib import Path

from jack_ray.spawn.compiled import Sharing, Shelf
from jack_ray.spawn.preflight import adopt, compiler, count_compiled
from jack_ray.spawn.pruning import prune


class SharedOperators:
    """This machine's operators and those of the others; without a shelf nothing happens."""

    def __init__(self, shelf: Shelf | None, jittor_home: Path) -> None:
        self._shelf = shelf
        self._home = jittor_home
        self._sharing: Sharing | None = None

    def _opened(self) -> Sharing | None:
        found = compiler()
        if self._sharing is None and self._shelf is not None and found is not None:
            self._sharing = Sharing(self._shelf, self._home, found)
        return self._sharing

    def take(self) -> None:
        """Bring what others have compiled, before anything is compiled here."""
        with suppress(OSError):
            sharing = self._opened()
            if sharing is not None and sharing.take():
                adopt(self._home)

    def prune(self, most_bytes: int, measured: int | None = None) -> None:
        """Keep what lies here within a bound; 0: none. measured: how many operators there were when it last was.

        Counting them takes a tenth of measuring them, and the next trial waits.
        """
        with suppress(OSError):
            if most_bytes and (measured is None or count_compiled(self._home)[1] != measured):
                prune(self._home, most_bytes)

    def give(self) -> None:
        """Add what was compiled here."""
        with suppress(OSError):
            sharing = self._opened()
            if sharing is not None:
                sharing.give()
