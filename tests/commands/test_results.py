"""compare and export: settings against numbers, on the terminal, as tables and as a page."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jack_ray.contract import events
from jack_ray.sweeps.plots import MAX_POINTS, thinned
from jack_ray.sweeps.results import differing, read_curves, results_of
from jack_ray.sweeps.scales import axis_of, colours
from tests.commands.conftest import Typed
from tests.commands.shelf import METRIC, RATES, TRIAL_RUN, Made, make, trial_with


def test_an_exported_row_has_settings_metrics_costs_checkpoint_and_run(typed: Typed, made: Made) -> None:
    rows = list(csv.DictReader(io.StringIO(typed("export")[1])))
    assert [row["train.lr"] for row in rows] == ["0.1", "0.01", "0.001"]  # the best first
    last = rows[-1]
    assert last["run_id"] == TRIAL_RUN
    assert (float(last["gpu_hours"]), float(last["core_hours"])) == (1.0, 1.0)
    assert (float(last["best"]), float(last["test/score"])) == (0.02, 0.019)
    assert last["checkpoint"] == str(made.trial(0).checkpoints / "step-00000020")


@pytest.mark.parametrize("name", ["out.csv", "out.json", "out.parquet"])
def test_all_formats_have_the_same_rows(typed: Typed, tmp_path: Path, name: str) -> None:
    import pandas as pd

    path = tmp_path / name
    assert typed("export", "grid", "--out", str(path))[:2] == (0, f"3 trials written: {path}\n")
    readers = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}
    frame = readers[path.suffix](path)
    assert list(frame["train.lr"]) == [0.1, 0.01, 0.001]
    assert list(frame["trial"]) == [trial_with(rate).id for rate in reversed(RATES)]


def test_an_unknown_format_is_refused(typed: Typed, tmp_path: Path) -> None:
    code, _, err = typed("export", "--out", str(tmp_path / "out.xls"))
    assert (code, "out.xls ends with none of .csv, .json, .parquet" in err) == (2, True)


def test_only_parameters_that_differ_are_compared(made: Made, typed: Typed) -> None:
    assert differing(results_of(made.standing)) == ["train.lr"]
    out = typed("compare")[1]
    head = next(line for line in out.splitlines() if "trial" in line and "best" in line and "train.lr" in line)
    assert "model.width" not in head
    assert "train.seed" not in head
    assert [line.split()[1] for line in out.splitlines() if line.strip().startswith("toy-")] == ["0.1", "0.01", "0.001"]


def test_a_parameter_that_only_one_method_has_differs(made: Made) -> None:
    results = results_of(made.standing)
    other = replace(results[0], parameters=results[0].parameters | {"model.depth": 3})
    assert "model.depth" in differing([*results[1:], other])


def test_two_sweeps_and_single_trials_are_compared_together(made: Made, typed: Typed) -> None:
    make(made.runs, "tpe-2222222222", began=2000.0)
    out = typed("compare", "grid", "tpe")[1]
    assert len([line for line in out.splitlines() if "toy-" in line]) == 6
    first, second = (trial_with(rate).id for rate in RATES[:2])
    out = typed("compare", first, second)[1]
    assert len([line for line in out.splitlines() if "toy-" in line]) == 2


def test_a_repeated_step_counts_once_in_a_curve(made: Made) -> None:
    events.append(made.trial(0).events, events.new("metrics", 2, 10, {METRIC: 99.0}))
    assert read_curves(made.trial(0))[METRIC] == [(10, 0.01), (20, 0.02)]


class Page(HTMLParser):
    """What a browser would load and draw."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        return [values for name, values in self.tags if name == tag and kind in (values.get("class") or "")]


def test_the_page_has_plots_and_a_table_and_loads_nothing(typed: Typed, tmp_path: Path) -> None:
    typed("compare", "--out", str(tmp_path / "report"))
    text = (tmp_path / "report" / "compare.html").read_text()
    page = Page()
    page.feed(text)
    assert len(page.of("svg", "parallel")) == 1
    assert len(page.of("svg", "curves")) == 2  # the sweep's metric, and the loss
    assert len(page.of("g", "line")) == 3 * (1 + 2)
    assert len([row for row in page.of("tr") if "data-trial" in row]) == 3
    assert not page.of("link")
    assert not [values for _, values in page.tags if values.keys() & {"src", "href"}]
    assert not re.search(r"https?://|@import|url\(", text)
    assert (tmp_path / "report" / "compare.csv").read_text().splitlines()[1].split(",")[3] == "0.1"


def test_the_page_quotes_what_comes_from_outside(made: Made, typed: Typed, tmp_path: Path) -> None:
    made.change(name="<script>alert(1)</script>")
    made.change_trial(0, overrides=("train.lr=<b>'\"",))
    typed("compare", "--out", str(tmp_path))
    text = (tmp_path / "compare.html").read_text()
    assert "<script>alert" not in text
    assert "<b>'" not in text


def test_a_sweep_of_one_trial_without_numbers_still_makes_a_page(made: Made, typed: Typed, tmp_path: Path) -> None:
    made.change(trials=(replace(made.standing.trials[0], best=None, status="running"),))
    made.trial(0).events.unlink()
    made.trial(0).state.unlink()
    assert typed("compare", "--out", str(tmp_path))[0] == 0
    assert "1 trial compared" in (tmp_path / "compare.html").read_text()


def test_numbers_that_span_decades_get_a_logarithmic_axis() -> None:
    axis = axis_of([1e-5, 1e-4, 1e-3])
    assert axis.kind == "log"
    assert axis.place(1e-4) == pytest.approx(0.5)
    assert [words for _, words in axis.marks()] == ["1e-05", "0.0001", "0.001"]
    assert axis_of([1, 2, 3]).kind == "linear"


def test_a_few_numbers_stand_at_equal_distances_and_in_their_order() -> None:
    axis = axis_of([64, 16, 128, 16], few=3)
    assert [words for _, words in axis.marks()] == ["16", "64", "128"]
    assert axis.place(64) == pytest.approx(0.5)
    assert axis_of([64, 16, 128, 32], few=3).kind == "linear"


def test_words_and_unknown_values_get_an_axis_of_names() -> None:
    axis = axis_of(["adam", "sgd", "adam", None])
    assert [words for _, words in axis.marks()] == ["-", "adam", "sgd"]
    assert axis.place(True) is None
    assert [words for _, words in axis_of([True, False]).marks()] == ["false", "true"]


@pytest.mark.parametrize("values", [[5, 5], [0.0, 1e-12], [-3.0, 3.0], [1e9, 2e9]])
def test_marks_lie_on_their_axis(values: list[float]) -> None:
    axis = axis_of(values)
    assert axis.marks()
    assert all(-1e-6 <= place <= 1 + 1e-6 for place, _ in axis.marks())


def test_few_trials_have_colours_of_their_own_and_many_say_how_good_they_are() -> None:
    assert len(set(colours([0.1] * 8, True))) == 8
    many = colours([value / 20 for value in range(20)], True)
    assert many[0] == "#440154"
    assert colours([value / 20 for value in range(20)], False)[-1] == "#440154"
    assert colours([None, *[0.5] * 20], True)[0] == "#9a9a9a"


def test_a_long_curve_keeps_its_ends() -> None:
    series = [(step, float(step)) for step in range(10_000)]
    drawn = thinned(series)
    assert (len(drawn), drawn[0], drawn[-1]) == (MAX_POINTS, series[0], series[-1])
