"""Places whose ranks stayed when their trial ended: the next trial that fits gets one of them, ranks and all."""

import time
from dataclasses import dataclass
from typing import Any

from jack_ray.place.news import Need, Order

IDLE_S = 10.0
"""After which a place that no trial came for is given back; others may be waiting for it."""
PASSED_BY_S = 1.0
"""The same where a trial of this sweep waits: it has looked at the place since, and it did not fit."""


@dataclass
class Place:
    """An actor with its placement group."""

    actor: Any
    group: Any
    layout: tuple[int, ...]
    need: Need
    known: Any
    nodes: tuple[str, ...]
    since: float


class IdlePlaces:
    """Those of one sweep."""

    def __init__(self) -> None:
        self._places: list[Place] = []

    def __len__(self) -> int:
        return len(self._places)

    def keep(self, inner: dict[str, Any]) -> None:
        """Take over the place of a trial that has ended; inner: what its handle held."""
        kept = {name: inner[name] for name in ("actor", "group", "layout", "need", "known", "nodes")}
        self._places.append(Place(**kept, since=time.monotonic()))

    def take(self, order: Order, need: Need) -> dict[str, Any] | None:
        """A place for a trial, in the form that its handle holds; None where none fits."""
        for place in self._places:
            if place.need == need and not order.avoid.intersection(place.nodes):
                self._places.remove(place)
                names = ("actor", "group", "layout", "need", "known")
                return {name: getattr(place, name) for name in names} | {"heard": time.monotonic()}
        return None

    def give_up(self, after_s: float) -> list[Place]:
        """Places to give back: those that waited so long."""
        now = time.monotonic()
        old = [place for place in self._places if now - place.since >= after_s]
        self._places = [place for place in self._places if place not in old]
        return old
