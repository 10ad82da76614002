"""The failures of a sweep so far, and what follows from them."""

import time

from jack_ray.contract.failure import Failure
from jack_ray.contract.schema import RetryConfig
from jack_ray.place.board import peak_memory_bytes
from jack_ray.place.entry import Entry
from jack_ray.place.retry import Nodes, Tally, wait_before_next


class Failures:
    """Counts them by trial and by machine, from the start of the driver on."""

    def __init__(self, config: RetryConfig) -> None:
        self._config = config
        self._nodes = Nodes(config)
        self._tallies: dict[int, Tally] = {}

    def of(self, entry: Entry) -> Tally:
        """Those of one trial."""
        return self._tallies.setdefault(entry.point.number, Tally())

    def add(self, entry: Entry, failure: Failure) -> tuple[float | None, str]:
        """Count one: the seconds until the next attempt, None if there is none; and what the user should know."""
        tally = self.of(entry)
        tally.add(failure)
        told = ""
        if self._nodes.blame(failure, time.monotonic()):
            told = f"{failure.host} is left out from now on: it lost {self._config.bad_node} attempts."
        if failure.kind == "memory":
            held = peak_memory_bytes(entry.folder.system) * max(1, len(entry.nodes)) // entry.trial.ranks
            tally.memory = 2 * max(held, tally.memory)
        return wait_before_next(self._config, tally, failure), told

    def bad_nodes(self) -> frozenset[str]:
        """The machines that are left out now."""
        return self._nodes.bad(time.monotonic())
