"""A search over an Optuna study: ask for the next point, report numbers, tell how a trial ended.

Everything is written to the journal before it is acted on, so a driver that was killed at any moment opens
the same search again and gets the same next point.
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.files import digest
from jack_ray.contract.schema import SweepConfig
from jack_ray.expand.draw import Drawn, draw
from jack_ray.expand.faults import EVERY_VALUE, axis_faults, sweep_faults
from jack_ray.expand.journal import open_journal
from jack_ray.expand.members import ORDER, leg_of, legs_left, next_leg
from jack_ray.expand.space import Axis, Point, read_space
from jack_ray.expand.stop import pruner_of

Ending = Literal["finished", "stopped", "failed"]

_FAILED = "jack_ray.failed"
_STOPPED = "jack_ray.stopped"
_SPACE = "jack_ray.space"
_TARGET = "jack_ray.target"
_REDRAWS = 16
"""How often a point that was already asked for is drawn again before one is picked."""


@dataclass(frozen=True)
class Search:
    """The points of one sweep. Made by `open_search`; one process at a time."""

    config: SweepConfig
    axes: tuple[Axis, ...]
    study: Study
    notice: str = ""
    """What the user should know of the number of trials; usually nothing."""

    def total(self) -> int:
        """How many points there will be, unless the search is cut short."""
        if self.config.strategy in EVERY_VALUE:
            return int(self.combinations())
        if self.config.strategy == "pbt":
            trials = self.study.get_trials(deepcopy=False)
            return len(trials) + legs_left(self.config, trials)
        wanted = max(self.config.num_trials, int(self.study.user_attrs.get(_TARGET, 0)))
        return int(min(wanted, self.combinations()))

    def combinations(self) -> float:
        """How many different points there are; infinite with an interval of floats."""
        return math.prod(axis.size() for axis in self.axes)

    def ask(self) -> Point | None:
        """The next point, written down before it is returned; None when there are no more."""
        return self._ask(self.study)

    def _ask(self, study: Study) -> Point | None:
        trials = study.get_trials(deepcopy=False)
        number = len(trials)
        if self.config.strategy != "pbt" and number >= self.total():
            return None
        drawn = self._next(number, trials)
        if drawn is None:
            return None
        distributions = {axis.key: axis.distribution for axis in self.axes}
        # One entry in the journal: a killed driver leaves a whole point or none.
        study.add_trial(
            create_trial(
                state=TrialState.RUNNING, params=drawn.params, distributions=distributions, user_attrs=drawn.notes
            )
        )
        return self._point(study.get_trials(deepcopy=False)[number])

    def is_over(self) -> bool:
        """Whether `ask` will never give a point again; it may have none while members of a population train."""
        return self.config.strategy != "pbt" or not self.unfinished()

    def _next(self, number: int, trials: list[FrozenTrial]) -> Drawn | None:
        if self.config.strategy == "pbt":
            maximize = self.study.direction == StudyDirection.MAXIMIZE
            found = next_leg(self.config, self.axes, trials, maximize=maximize)
            return Drawn(*found) if found is not None else None
        if self.config.strategy in EVERY_VALUE:
            return Drawn(next(itertools.islice(_combinations(self.axes), number, None)))
        asked = [trial.params for trial in trials]
        maximize = self.study.direction == StudyDirection.MAXIMIZE
        for attempt in range(_REDRAWS):
            drawn = draw(self.config, self.axes, trials, maximize=maximize, attempt=attempt)
            if drawn.params not in asked:
                return drawn
        return next((Drawn(params) for params in _combinations(self.axes) if params not in asked), drawn)

    def _point(self, trial: FrozenTrial) -> Point:
        overrides = tuple(axis.override(trial.params[axis.key]) for axis in self.axes)
        if self.config.strategy != "pbt":
            return Point(trial.number, overrides)
        leg = leg_of(trial)
        origin = (leg.origin, leg.start) if leg.origin is not None else None
        return Point(trial.number, overrides, origin, leg.until)

    def points(self) -> list[Point]:
        """Every point in the order of asking, without asking: the first key of a grid changes slowest.

        tpe, gp and cmaes learn from results; those that they would draw without any are given.
        """
        preview = optuna.create_study(direction=self.study.direction)
        trials = self.study.get_trials(deepcopy=False)
        preview.add_trials(trials)
        known = [self._point(trial) for trial in trials]
        return known + list(iter(lambda: self._ask(preview), None))

    def unfinished(self) -> list[Point]:
        """Points that were asked for, by this process or one before it, and never told; to be continued first."""
        return [point for point, failed in self._open() if not failed]

    def failed(self) -> list[Point]:
        """Points whose last telling was `failed`; they may be tried again and told anew."""
        return [point for point, failed in self._open() if failed]

    def ended(self) -> list[Point]:
        """Points that were told `finished` or `stopped`, by this process or one before it."""
        trials = self.study.get_trials(deepcopy=False)
        return [self._point(trial) for trial in trials if trial.state.is_finished()]

    def _open(self) -> list[tuple[Point, bool]]:
        trials = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [(self._point(trial), _FAILED in trial.user_attrs) for trial in trials]

    def report(self, number: int, step: int, value: float) -> None:
        """A number of a running trial; a step that was already reported keeps its first number."""
        trial = self._trial(number)
        if trial.state == TrialState.RUNNING and step not in trial.intermediate_values:
            # Optuna's storage, since its Trial object would draw all parameters again to report one number.
            self.study._storage.set_trial_intermediate_value(trial._trial_id, step, value)

    def keep(self, number: int) -> bool:
        """Whether the trial is worth going on after what was reported; once no, always no."""
        trial = self._trial(number)
        if self.config.stopper == "none" or trial.state.is_finished():
            return trial.state != TrialState.PRUNED
        if _STOPPED in trial.user_attrs:
            return False
        if self.study.pruner.prune(self.study, trial):
            self.study._storage.set_trial_user_attr(trial._trial_id, _STOPPED, trial.last_step)
            return False
        return True

    def tell(self, number: int, status: Ending, value: float | None) -> None:
        """How a trial ended; telling it again changes nothing, except that a failed trial may end better.

        value: the metric of a finished trial; without a finite one the samplers learn nothing from it.
        """
        trial = self._trial(number)
        if trial.state.is_finished():
            return
        if self.config.strategy == "pbt":
            ended = sum(trial.state.is_finished() for trial in self.study.get_trials(deepcopy=False))
            self.study._storage.set_trial_user_attr(trial._trial_id, ORDER, ended)
        if status == "failed":
            # It stays open in Optuna's eyes, which cannot open it again; samplers see no result either way.
            self.study._storage.set_trial_user_attr(trial._trial_id, _FAILED, True)
        elif status == "stopped":
            self.study.tell(number, state=TrialState.PRUNED)
        elif value is None or not math.isfinite(value):
            self.study.tell(number, state=TrialState.FAIL)
        else:
            self.study.tell(number, value)

    def forget(self, number: int) -> None:
        """A trial that was killed stays as it is: unfinished, and first in line the next time."""
        self._trial(number)

    def _trial(self, number: int) -> FrozenTrial:
        return self.study.get_trials(deepcopy=False)[number]


def open_search(config: SweepConfig, journal: Path, metric: str, mode: Literal["max", "min"], more: int = 0) -> Search:
    """Begin a search, or go on with the one in the journal. The caller holds the sweep's lock.

    metric: the full name of what is reported. more: points to add, if all that were wanted so far have ended.
    Raises ConfigError with every fault of `sweep`, and if the journal belongs to another search.
    """
    axes = _axes(config, more)
    study = optuna.create_study(
        storage=open_journal(journal),
        study_name="sweep",
        direction="maximize" if mode == "max" else "minimize",
        load_if_exists=True,
        pruner=pruner_of(config),
    )
    _claim(study, config, journal, f"{mode} {metric}")
    search = Search(config, axes, study)
    return replace(search, notice=_add(search, more)) if more else search


def _add(search: Search, more: int) -> str:
    """Raise the number of points that are wanted, once those wanted so far have ended; say what was done."""
    total, asked = search.total(), len(search.study.get_trials(deepcopy=False))
    if asked < total or search.unfinished():
        return f"The sweep's {total} trials are completed first; the same command adds {more} when they have ended."
    if total >= search.combinations():
        found = f"{more}, but all {total} combinations of sweep.over have been tried"
        raise ConfigError([Fault("more", found, "values that are left", "Type other values, or leave more out.")])
    search.study.set_user_attr(_TARGET, total + more)
    added = search.total() - total
    return f"{added} trial{'s are' if added != 1 else ' is'} added to the {total} there are."


def preview(config: SweepConfig, mode: Literal["max", "min"], more: int = 0) -> list[Point]:
    """The points of a new search, without a journal: see `Search.points`. Raises ConfigError as `open_search` does."""
    axes = _axes(config, more)
    study = optuna.create_study(direction="maximize" if mode == "max" else "minimize")
    study.set_user_attr(_TARGET, config.num_trials + more)
    return Search(config, axes, study).points()


def _axes(config: SweepConfig, more: int) -> tuple[Axis, ...]:
    if faults := sweep_faults(config, more):
        raise ConfigError(faults)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    axes = read_space(config.over, every_value=config.strategy == "grid", seed=config.seed)
    if faults := axis_faults(config, axes):
        raise ConfigError(faults)
    return axes


def _claim(study: Study, config: SweepConfig, journal: Path, goal: str) -> None:
    """Write down which search the journal belongs to; raise ConfigError if it is another one."""
    orders = dict.fromkeys(EVERY_VALUE, "every value") | {"pbt": "population"}
    order = orders.get(config.strategy, "drawn")
    mine = digest([order, list(config.over.items()), goal])
    written = study.user_attrs.get(_SPACE)
    if written is None:
        study.set_user_attr(_SPACE, mine)
    elif written != mine:
        found = f"{journal} was written for other values, another metric or another kind of strategy"
        remedy = f"Remove {journal.parent} to begin anew; finished trials are not trained again."
        raise ConfigError([Fault("sweep", found, "the sweep that began there", remedy)])


def _combinations(axes: tuple[Axis, ...]) -> Iterator[dict[str, Any]]:
    """Every point as Optuna stores it, the first key slowest; none if an axis is an interval of floats."""
    for combination in itertools.product(*(_values(axis.distribution) for axis in axes)):
        yield dict(zip((axis.key for axis in axes), combination, strict=True))


def _values(distribution: BaseDistribution) -> Iterable[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    if isinstance(distribution, IntDistribution):
        return range(distribution.low, distribution.high + 1, distribution.step)
    return ()
