"""What is counted of a server, as Prometheus reads it."""

import threading
from collections import Counter
from dataclasses import dataclass, field

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
BATCH = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass
class Histogram:
    """How often a value was at most so large."""

    bounds: tuple[float, ...]
    counts: Counter[float] = field(default_factory=Counter)
    total: float = 0.0
    number: int = 0

    def add(self, value: float) -> None:
        """Count a value."""
        self.total += value
        self.number += 1
        bound = next((one for one in self.bounds if value <= one), None)
        if bound is not None:
            self.counts[bound] += 1

    def lines(self, name: str, words: str) -> list[str]:
        """As Prometheus reads it."""
        lines, sum_ = [f"# HELP {name} {words}", f"# TYPE {name} histogram"], 0
        for bound in self.bounds:
            sum_ += self.counts[bound]
            lines.append(f'{name}_bucket{{le="{bound:g}"}} {sum_}')
        return [*lines, f'{name}_bucket{{le="+Inf"}} {self.number}', f"{name}_sum {self.total:.6f}",
                f"{name}_count {self.number}"]  # fmt: skip


class Metrics:
    """Counters of one server; used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()
        self._switches = 0
        self._bytes = 0
        self._seconds = Histogram(SECONDS)
        self._batches = Histogram(BATCH)

    def request(self, outcome: str, seconds: float) -> None:
        """A request for an answer has ended. outcome: its HTTP status, or `dropped` when the client has gone."""
        with self._lock:
            self._outcomes[outcome] += 1
            self._seconds.add(seconds)

    def reply(self, version: str, batch: int) -> None:
        """A replica has replied."""
        with self._lock:
            self._versions[version] += 1
            self._batches.add(batch)

    def received(self, size: int) -> None:
        """Bytes of an upload."""
        with self._lock:
            self._bytes += size

    def switched(self) -> None:
        """The alias means another version from now on."""
        with self._lock:
            self._switches += 1

    def text(self, model: str, version: str, in_flight: int, replicas: int) -> str:
        """All of it."""
        with self._lock:
            lines = [*_labelled("jack_ray_requests_total", "Requests for an answer.", "outcome", self._outcomes),
                     *_labelled("jack_ray_answers_total", "Replies of replicas.", "version", self._versions),
                     *self._seconds.lines("jack_ray_request_seconds", "From a request's head to its answer."),
                     *self._batches.lines("jack_ray_batch_size", "Questions computed together with one."),
                     *_single("jack_ray_upload_bytes_total", "Bytes of uploads.", "counter", self._bytes),
                     *_single("jack_ray_switches_total", "Changes of version.", "counter", self._switches),
                     *_single("jack_ray_in_flight", "Requests being received or answered.", "gauge", in_flight),
                     *_single("jack_ray_replicas", "Replicas that can answer.", "gauge", replicas)]  # fmt: skip
        lines += ["# HELP jack_ray_model The version that answers.", "# TYPE jack_ray_model gauge"]
        lines.append(f'jack_ray_model{{model="{_escaped(model)}",version="{_escaped(version)}"}} 1')
        return "\n".join(lines) + "\n"


def _labelled(name: str, words: str, label: str, counts: Counter[str]) -> list[str]:
    lines = [f"# HELP {name} {words}", f"# TYPE {name} counter"]
    return lines + [f'{name}{{{label}="{_escaped(key)}"}} {count}' for key, count in sorted(counts.items())]


def _single(name: str, words: str, kind: str, value: float) -> list[str]:
    return [f"# HELP {name} {words}", f"# TYPE {name} {kind}", f"{name} {value:g}"]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
