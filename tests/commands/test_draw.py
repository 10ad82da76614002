"""Pictures and page of a sweep as the MLflow writer has them drawn."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from jack_ray.contract import events
from jack_ray.contract.drawn import load_drawn
from jack_ray.contract.status import TrialStatus
from jack_ray.sweeps.draw import draw_beside, draw_trials, main
from jack_ray.sweeps.overview_picture import draw as draw_overview
from jack_ray.sweeps.results import Result, read_curves, results_of
from jack_ray.sweeps.scales import spread_of
from tests.commands.shelf import METRIC, Made

pytestmark = pytest.mark.filterwarnings("ignore:The value of the smallest subnormal")

VERMILION = (213, 94, 0)


def pixels_of(path: Path, color: tuple[int, int, int]) -> int:
    picture = (imread(path)[..., :3] * 255).round().astype(int)
    return int((abs(picture - color).max(axis=2) < 4).sum())


def result(number: int, best: float | None, **parameters: Any) -> Result:
    trial = TrialStatus(
        f"toy-{number}", tuple(f"{k}={v}" for k, v in parameters.items()), "finished", "", 9, 9, best=best
    )
    return Result("grid", trial, METRIC, "max", parameters=parameters, swept=parameters)


@pytest.fixture(autouse=True)
def _not_nice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.nice", lambda step: step)


def test_a_sweep_gets_its_overview_and_its_page_and_trials_their_curves(made: Made) -> None:
    trial = made.trial(0)
    assert main([str(made.folder.path), trial.path.name]) == 0
    drawn = load_drawn(made.folder.overview / "drawn.json")
    assert drawn is not None
    assert drawn.files == ("overview.png", "report.html")
    assert drawn.trials == {trial.path.name: trial.events.stat().st_size}
    assert "3 trials compared" in (made.folder.overview / "report.html").read_text()
    assert pixels_of(made.folder.overview / "overview.png", VERMILION) > 100  # the star of the best
    assert pixels_of(trial.learning_curves, VERMILION) > 50


def test_a_trial_without_numbers_has_no_picture_and_is_not_asked_for_again(made: Made) -> None:
    trial = made.trial(1)
    trial.events.unlink()
    assert draw_trials(made.standing, [trial.path.name], float("inf")) == {trial.path.name: 0}
    assert not trial.learning_curves.exists()


def test_no_trial_is_begun_when_the_time_is_over(made: Made) -> None:
    names = [made.trial(number).path.name for number in range(3)]
    assert list(draw_trials(made.standing, names, 0.0)) == names[:1]


def test_several_processes_draw_what_one_does(made: Made) -> None:
    folders = [made.trial(number) for number in range(3)]
    names = [folder.path.name for folder in folders]
    alone = draw_beside(made.standing, names, float("inf"), 1)
    pictures = [folder.learning_curves.read_bytes() for folder in folders if folder.learning_curves.exists()]
    for folder in folders:
        folder.learning_curves.unlink(missing_ok=True)
    assert draw_beside(made.standing, names, float("inf"), 2) == alone
    assert alone.keys() == set(names)
    assert pictures == [folder.learning_curves.read_bytes() for folder in folders if folder.learning_curves.exists()]
    assert pictures


def test_a_sweep_of_one_trial_has_a_page_and_no_overview(made: Made) -> None:
    made.change(trials=made.standing.trials[:1])
    main([str(made.folder.path)])
    assert [path.name for path in made.folder.overview.glob("*.[ph]*")] == ["report.html"]


@pytest.mark.parametrize(
    "settings",
    [
        [{"train.lr": 10.0**-power, "train.seed": seed} for power in (2, 3, 4) for seed in (1, 2)],
        [{"train.optimizer": name, "model.freeze_bn": bool(len(name) % 2)} for name in ("adam", "sgd", "x" * 40)],
        [{"model.dropout": 0.1 * step, "model.width": step} for step in range(40)],
        [{"train.lr": 1e-3}, {"train.lr": 1e-3}],
        [{"train.lr": 1e-3}, {"model.depth": 3}],
    ],
)
def test_any_settings_can_be_drawn(tmp_path: Path, settings: list[dict[str, Any]]) -> None:
    results = [result(place, 0.1 * place, **one) for place, one in enumerate(settings)]
    assert draw_overview(tmp_path / "overview.png", "toy", [*results, result(99, None, **settings[0])])
    assert pixels_of(tmp_path / "overview.png", VERMILION) > 100


def test_trials_without_numbers_make_no_overview(tmp_path: Path) -> None:
    assert not draw_overview(tmp_path / "overview.png", "toy", [result(1, None, a=1), result(2, 0.5, a=2)])
    assert list(tmp_path.iterdir()) == []


def test_curves_of_many_steps_can_be_drawn(made: Made) -> None:
    from jack_ray.sweeps.learning_picture import draw

    trial = made.trial(0)
    for step in range(400):
        values = {"train/total": 1000.0 / (1 + step), "train/lr": 1e-3, "train/gradient_norm": 5.0, "train/part": -1.0}
        events.append(trial.events, events.new("metrics", 1, step, values))
    (one,) = results_of(made.standing, trial.path.name)
    long = replace(one, trial=replace(one.trial, overrides=("train.lr=0.1",) * 40))
    assert draw(trial.learning_curves, long, read_curves(trial))
    assert trial.learning_curves.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1e-5, 1e-4, 1e-3], "log"),
        ([1e-4, 1e-3], "log"),
        ([16, 32, 64], "log"),
        ([0.1, 0.5, 0.9], "linear"),
        ([1, 2], "linear"),
        ([0, 1, 2], "linear"),
        (["adam", "sgd"], "category"),
        ([True, False], "category"),
        ([3, 3], "linear"),
    ],
)
def test_what_grows_by_a_factor_is_shown_by_its_logarithm(values: list[Any], kind: str) -> None:
    assert spread_of(values) == kind
