"""A shelf of compiled operators in Ray: an actor beside the driver holds the archives while the sweep runs."""

from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

ANSWER_S = 120.0
MOST_BYTES = 1 << 30
"""What the actor holds at most; a full set of operators of all methods takes 30 MB."""


class Keeper:
    """The actor."""

    def __init__(self) -> None:
        self._archives: dict[tuple[str, str], bytes] = {}

    def names(self, identity: str) -> list[str]:
        """The archives of that kind of machine."""
        return [name for kind, name in self._archives if kind == identity]

    def get(self, identity: str, name: str) -> bytes:
        """One archive."""
        return self._archives[identity, name]

    def put(self, identity: str, name: str, content: bytes) -> None:
        """Add one, if there is room."""
        if sum(map(len, self._archives.values())) + len(content) <= MOST_BYTES:
            self._archives[identity, name] = content


class RayShelf:
    """The handle that leads and their mates are given."""

    def __init__(self, keeper: Any) -> None:
        self._keeper = keeper

    def names(self, identity: str) -> list[str]:
        """The archives of that kind of machine. Raises OSError."""
        found: list[str] = self._ask("names", identity)
        return found

    def get(self, identity: str, name: str) -> bytes:
        """One archive. Raises OSError."""
        found: bytes = self._ask("get", identity, name)
        return found

    def put(self, identity: str, name: str, content: bytes) -> None:
        """Add one. Raises OSError."""
        self._ask("put", identity, name, content)

    def _ask(self, what: str, *words: Any) -> Any:
        try:
            return ray.get(getattr(self._keeper, what).remote(*words), timeout=ANSWER_S)
        except RayError as error:  # a time-out is one, too
            raise OSError(f"the shelf of compiled operators does not answer: {type(error).__name__}") from error


def start() -> RayShelf:
    """Start the actor on the driver's machine, which lives as long as the sweep."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    keeper = ray.remote(Keeper).options(num_cpus=0, scheduling_strategy=here).remote()
    return RayShelf(keeper)
