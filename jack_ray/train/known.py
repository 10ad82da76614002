"""Which lock a trial's ranks take to load compiled operators.

Jittor holds one lock for a whole machine while it compiles a batch of operators, and takes the same lock to load one
that has long been compiled: a trial that needs nothing new was seen to wait 18 s for another's compiler. A trial whose
like has run to its end on this machine before takes a second lock instead, under which nothing is compiled.
"""

import importlib.metadata
from functools import cache
from pathlib import Path

import jittor as jt

from jack_ray.contract.files import digest, file_sha256
from jack_ray.contract.paths import known_graph
from jack_ray.contract.trial import Trial, is_weights

_SAME_GRAPH = frozenset(
    {
        "lr", "seed", "steps", "evaluate_every", "checkpoint_every", "keep_checkpoints", "log_every", "prefetch",
        "workers", "schedule", "milestones", "gamma", "warmup_steps", "weights", "metric", "mode", "on_unreadable",
    }
)  # fmt: skip
"""Settings of the train node that change numbers or when things happen, but no operator."""


class Known:
    """Whether this machine has all operators of a trial, as far as earlier trials tell."""

    def __init__(self, trial: Trial) -> None:
        self._record = known_graph(Path(jt.flags.cache_path), _graph(trial))

    def choose_lock(self) -> None:
        """Have Jittor take the lock that fits; called before a trial's first operator."""
        shared = Path(jt.lock.lock_path)
        chosen = shared.with_name("loading.lock") if self._record.exists() else shared
        chosen.touch()
        jt.compiler.core.set_lock_path(str(chosen))

    def remember(self) -> None:
        """The trial has run to its end, so everything that its like needs is compiled."""
        self._record.parent.mkdir(exist_ok=True)
        self._record.touch()


def _graph(trial: Trial) -> str:
    """A digest of all that decides on operators: settings, data, kind of processor, and the code."""
    model = {key: value for key, value in trial.model.items() if not is_weights(key)}
    train = {key: value for key, value in trial.train.items() if key not in _SAME_GRAPH}
    data = {key: value for key, value in trial.data.items() if key != "root"}
    kind = [trial.ranks, trial.threads, int(jt.flags.use_cuda), trial.data_identity]
    return digest([trial.method, model, data, train, kind, _code()], length=16)


@cache
def _code() -> str:
    package = Path(__file__).parents[1]
    files = sorted([*(package / "methods").rglob("*.py"), *(package / "train").rglob("*.py")])
    hashes = [[path.relative_to(package).as_posix(), file_sha256(path)] for path in files]
    return digest([importlib.metadata.version("jittor"), hashes])
