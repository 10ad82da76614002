"""What draws points, ours and Optuna's: same seed, same points; and they do find things."""

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats import norm
from scipy.stats.qmc import discrepancy

from jack_ray.expand import Point, Search, open_search
from jack_ray.expand.evolution import GENERATION, PARENTS
from jack_ray.expand.gaussian import log_expected_improvement
from jack_ray.expand.unit import coordinate_of, value_at
from tests.sweeps import sweep_config

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
RATES = {"x": "tag(log, interval(1e-6,1e-2))", "y": "tag(log, interval(1e-6,1e-2))"}
MIXED = {"x": "interval(0,1)", "n": "int(interval(1,8))", "r": "range(0,9,2)", "c": "choice(a,b,c)"}
SEARCHES = ("random", "qmc", "tpe", "gp", "cmaes")


def begin(folder: Path, strategy: str, over: dict[str, str], num_trials: int, seed: int = 0) -> Search:
    sweep = sweep_config(strategy=strategy, over=over, num_trials=num_trials, seed=seed)
    return open_search(sweep, folder / f"{strategy}-{seed}" / "journal.log", "loss", "min")


def values(point: Point) -> list[float]:
    return [float(override.partition("=")[2]) for override in point.overrides]


def valley(x: float, y: float) -> float:
    """Smooth, and 0 at 1e-4 and 5e-4; the settings depend on each other, as learning rate and decay do."""
    a, b = math.log10(x) + 4, math.log10(y) + 3.3
    return a * a + b * b / 2 + 0.3 * a * b


def told(search: Search, loss: Callable[[float, float], float] = valley) -> list[float]:
    """The losses of all points, one after the other."""
    losses = []
    for point in iter(search.ask, None):
        losses.append(loss(*values(point)))
        search.tell(point.number, "finished", losses[-1])
    return losses


def test_a_gaussian_process_finds_a_smooth_optimum_in_fewer_trials_than_random(tmp_path: Path) -> None:
    for seed in range(3):
        modelled = told(begin(tmp_path, "gp", RATES, 16, seed))
        random = told(begin(tmp_path, "random", RATES, 64, seed))
        assert min(modelled) < 0.002
        assert min(modelled) < min(random) / 5


def test_cma_es_moves_to_the_optimum(tmp_path: Path) -> None:
    for seed in range(3):
        losses = told(begin(tmp_path, "cmaes", RATES, 60, seed))
        assert sum(losses[48:]) / 12 < sum(losses[:12]) / 12 / 10
        assert min(losses) < 0.01


def test_cma_es_searches_along_a_slanted_valley_better_than_random(tmp_path: Path) -> None:
    def slanted(x: float, y: float) -> float:
        return (x - y) ** 2 * 1000 + (x + y - 6) ** 2

    over = {"x": "interval(0,10)", "y": "interval(0,10)"}
    for seed in range(2):
        found = told(begin(tmp_path, "cmaes", over, 100, seed), slanted)
        assert min(found) < min(told(begin(tmp_path, "random", over, 100, seed), slanted)) / 5


@pytest.mark.parametrize("strategy", SEARCHES)
def test_points_do_not_depend_on_when_the_driver_was_started_anew(tmp_path: Path, strategy: str) -> None:
    """Three trials at the same time, of which the middle one ends first, one fails and one is stopped."""

    def play(folder: Path, restart: bool) -> list[Point]:
        search = begin(folder, strategy, MIXED, 24)
        points: list[Point] = []
        for _ in range(8):
            asked = []
            for _ in range(3):
                search = begin(folder, strategy, MIXED, 24) if restart else search
                point = search.ask()
                assert point is not None
                asked.append(point)
            search.report(asked[0].number, 5, 3.0)
            search.tell(asked[1].number, "finished", float(asked[1].overrides[0].partition("=")[2]))
            search.tell(asked[0].number, "stopped", None)
            search.tell(asked[2].number, "finished", float("nan"))
            points += asked
        return points

    straight, restarted = play(tmp_path / "a", False), play(tmp_path / "b", True)
    assert straight == restarted
    assert len({point.overrides for point in straight}) == 24


@pytest.mark.parametrize("strategy", SEARCHES)
def test_every_kind_of_setting_is_drawn_within_its_values(tmp_path: Path, strategy: str) -> None:
    search = begin(tmp_path, strategy, MIXED, 24)
    seen: dict[str, set[str]] = {}
    for point in iter(search.ask, None):
        search.tell(point.number, "finished", float(point.number % 7))
        for override in point.overrides:
            key, _, value = override.partition("=")
            seen.setdefault(key, set()).add(value)
    assert all(0.0 <= float(value) <= 1.0 for value in seen["x"])
    assert seen["n"] <= {str(number) for number in range(1, 9)}
    assert len(seen["n"]) > 3
    assert seen["r"] <= {"0", "2", "4", "6", "8"}
    assert seen["c"] == {"a", "b", "c"}


def test_evenly_spread_points_are_those_of_one_sequence_whatever_was_told_between(tmp_path: Path) -> None:
    over = {"x": "interval(0,1)", "y": "interval(0,1)"}
    alone = [values(point) for point in iter(begin(tmp_path / "a", "qmc", over, 64).ask, None)]
    search = begin(tmp_path / "b", "qmc", over, 64)
    between = []
    for point in iter(search.ask, None):
        between.append(values(point))
        search.tell(point.number, "failed", None)
    assert alone == between
    random = [values(point) for point in iter(begin(tmp_path, "random", over, 64).ask, None)]
    assert discrepancy(np.array(alone)) < discrepancy(np.array(random)) / 5
    cells = {(int(x * 8), int(y * 8)) for x, y in alone}
    assert len(cells) == 64, "64 points of a scrambled Sobol sequence: one in each cell of 8 x 8"


def test_points_drawn_at_the_same_time_keep_apart(tmp_path: Path) -> None:
    search = begin(tmp_path, "gp", RATES, 20)
    for _ in range(12):
        point = search.ask()
        assert point is not None
        search.tell(point.number, "finished", valley(*values(point)))
    drawn = [np.log10(values(point)) for point in iter(search.ask, None)]
    apart = [float(np.abs(a - b).max()) for number, a in enumerate(drawn) for b in drawn[:number]]
    assert min(apart) > 0.01


def test_a_generation_of_cma_es_is_formed_by_those_that_end_first_and_says_by_which(tmp_path: Path) -> None:
    search = begin(tmp_path, "cmaes", RATES, 40)
    points = [search.ask() for _ in range(9)]
    for point in points[3:]:
        assert point is not None
        search.tell(point.number, "finished", valley(*values(point)))
    first_of_next = search.ask()
    assert first_of_next is not None
    for point in points[:3]:
        assert point is not None
        search.tell(point.number, "finished", 0.0)
    search.ask()
    notes = [trial.user_attrs for trial in search.study.get_trials(deepcopy=False)]
    assert [note[GENERATION] for note in notes] == [0] * 9 + [1, 1]
    assert notes[9][PARENTS] == [3, 4, 5, 6, 7, 8]
    assert PARENTS not in notes[10]


def test_cma_es_counts_stopped_trials_as_worse_than_finished_ones(tmp_path: Path) -> None:
    search = begin(tmp_path, "cmaes", RATES, 90)
    late = []
    for point in iter(search.ask, None):
        x, _ = values(point)
        if x > 1e-4:
            search.report(point.number, 1, 0.0)
            search.tell(point.number, "stopped", None)
        else:
            search.tell(point.number, "finished", 100.0)
        late += [x > 1e-4] if point.number >= 60 else []
    assert sum(late) < len(late) / 10, "half of the first generation"


def test_the_log_of_the_expected_improvement_is_that_of_the_formula_and_finite_far_away() -> None:
    mean = np.array([0.3, 0.0, -1.0, -3.0])
    deviation = np.array([0.5, 1.0, 0.7, 0.6])
    z = mean / deviation
    plain = deviation * (norm.pdf(z) + z * norm.cdf(z))
    np.testing.assert_allclose(log_expected_improvement(mean, deviation, 0.0), np.log(plain), rtol=1e-9)
    far = log_expected_improvement(-np.array([10.0, 40.0, 1e4, 1e7, 1e9]), np.ones(5), 0.0)
    assert np.isfinite(far).all()
    assert (np.diff(far) < 0).all()


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(1e-6, 1e-2, log=True),
        FloatDistribution(-1.0, 3.0),
        FloatDistribution(0.0, 1.0, step=0.25),
        IntDistribution(1, 9),
        IntDistribution(1, 1000, log=True),
        IntDistribution(0, 8, step=2),
        CategoricalDistribution(["a", "b", "c"]),
    ],
)
def test_a_coordinate_gives_its_value_back(distribution: FloatDistribution) -> None:
    for coordinate in (0.0, 0.1, 0.5, 0.77, 1.0):
        value = value_at(distribution, coordinate)
        assert distribution._contains(distribution.to_internal_repr(value))
        assert value_at(distribution, coordinate_of(distribution, value)) == pytest.approx(value)


def test_whole_numbers_and_choices_have_equal_parts() -> None:
    coordinates = [(number + 0.5) / 900 for number in range(900)]
    for distribution, count in ((IntDistribution(1, 9), 9), (CategoricalDistribution(["a", "b", "c"]), 3)):
        drawn = [value_at(distribution, coordinate) for coordinate in coordinates]
        assert {drawn.count(value) for value in set(drawn)} == {900 // count}


DRIVER = """
import sys
from pathlib import Path
from jack_ray.expand import open_search
from tests.sweeps import sweep_config
over = {"x": "interval(0,1)", "y": "interval(0,1)"}
search = open_search(sweep_config(strategy=sys.argv[1], over=over, num_trials=15), Path(sys.argv[2]), "loss", "min")
while point := next(iter(search.unfinished()), None) or search.ask():
    x, y = (float(override.partition("=")[2]) for override in point.overrides)
    search.tell(point.number, "finished", (x - 0.3) ** 2 + y)
    print(point.number, flush=True)
"""


@pytest.mark.parametrize("strategy", ["gp", "cmaes"])
def test_a_killed_driver_goes_on_to_the_points_of_one_that_was_not_killed(tmp_path: Path, strategy: str) -> None:
    def drive(journal: Path, kill_after: int | None) -> None:
        command = [sys.executable, "-c", DRIVER, strategy, str(journal)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as driver:
            assert driver.stdout is not None
            for _ in range(kill_after or 0):
                driver.stdout.readline()
            if kill_after is not None:
                os.kill(driver.pid, signal.SIGKILL)
            driver.stdout.read()
        assert driver.returncode == (0 if kill_after is None else -signal.SIGKILL)

    drive(tmp_path / "straight", None)
    drive(tmp_path / "killed", 8)
    drive(tmp_path / "killed", None)
    sweep = sweep_config(strategy=strategy, over={"x": "interval(0,1)", "y": "interval(0,1)"}, num_trials=15)
    straight, killed = (open_search(sweep, tmp_path / name, "loss", "min") for name in ("straight", "killed"))
    assert killed.points() == straight.points()
    assert len(killed.ended()) == 15
