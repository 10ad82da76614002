"""Whether a trial that failed is tried again, when, and where not; pure."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from jack_ray.contract.failure import Failure, Kind
from jack_ray.contract.schema import RetryConfig

Class = Literal["infra", "user", "memory", "final"]
"""infra: not the trial's fault. user: its code raised. final: it would end the same way again."""

_CLASSES: dict[Kind, Class] = {
    "error": "user",
    "crash": "user",
    "killed": "infra",
    "hang": "infra",
    "diverged": "final",
    "disk": "infra",
    "data": "final",
    "memory": "memory",
    "start": "infra",
    "lost": "infra",
}
_MACHINES_FAULT = frozenset({"killed", "hang", "start", "lost"})
"""Kinds that speak against the machine on which they happened."""

_SILENT = frozenset({"hang", "lost"})

LONGEST_WAIT_S = 300.0

SILENT_S = 90.0
"""How long a machine that fell silent is left out; Ray itself takes a minute to notice a cut cable."""


def class_of(kind: Kind) -> Class:
    """Who answers for a failure."""
    return _CLASSES[kind]


@dataclass
class Tally:
    """The failures of one trial since the driver began."""

    kinds: Counter[str] = field(default_factory=Counter)
    classes: Counter[Class] = field(default_factory=Counter)
    memory: int = 0
    """Bytes that a rank must have from now on; 0: whatever there is."""

    def add(self, failure: Failure) -> None:
        """Count one."""
        self.kinds[failure.kind] += 1
        self.classes[class_of(failure.kind)] += 1

    @property
    def attempts(self) -> int:
        """All of them."""
        return sum(self.kinds.values())


def wait_before_next(config: RetryConfig, tally: Tally, failure: Failure) -> float | None:
    """Seconds until a trial is tried again after its last failure, which is counted; None: not at all."""
    allowed = {"infra": config.infra, "user": config.user, "memory": config.memory, "final": 0}
    kind = class_of(failure.kind)
    if tally.classes[kind] > allowed[kind]:
        return None
    return min(LONGEST_WAIT_S, config.wait_s * 2.0 ** (tally.attempts - 1))


@dataclass
class Nodes:
    """What the machines of a sweep are guilty of."""

    config: RetryConfig
    lost: Counter[str] = field(default_factory=Counter)
    recent: dict[str, float] = field(default_factory=dict)

    def blame(self, failure: Failure, now_s: float) -> bool:
        """Count a failure against its machine; True if that machine is left out from now on."""
        if failure.kind not in _MACHINES_FAULT or not failure.host:
            return False
        self.lost[failure.host] += 1
        if failure.kind in _SILENT:
            self.recent[failure.host] = now_s
        return self.lost[failure.host] == self.config.bad_node

    def bad(self, now_s: float) -> frozenset[str]:
        """The machines that are left out at a moment: those with too many failures, and those that just fell silent."""
        silent = {host for host, since_s in self.recent.items() if now_s - since_s < SILENT_S}
        return frozenset(silent | {host for host, count in self.lost.items() if count >= self.config.bad_node})
