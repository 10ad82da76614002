"""Benchmarks print what docs/performance.md says that they print; their numbers are nobody's promise."""

import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks.figures import Figure, as_json, as_table, ratio
from benchmarks.gangs import answers, argv
from benchmarks.options import Options

ROOT = Path(__file__).parents[1]
PLUMBING = {"__init__", "__main__", "figures", "gangs", "options", "serving_scene"}
"""Modules of the folder that measure nothing themselves."""


@pytest.mark.ray
@pytest.mark.parametrize("call", ["poll", "go_on", "stop", "dismiss", "__init__"])
def test_the_lead_that_trains_nothing_takes_what_a_real_one_takes(call: str) -> None:
    from benchmarks.control_plane import FakeLead
    from jack_ray.place.ray_gang import RayLead

    fake, real = (inspect.signature(getattr(kind, call)) for kind in (FakeLead, RayLead))
    assert list(fake.parameters) == list(real.parameters)


def test_every_module_of_the_folder_measures() -> None:
    folder = ROOT / "benchmarks"
    packages = {path.parent.name for path in folder.glob("*/__init__.py")} - {"torch_models"}
    modules = {path.stem for path in folder.glob("*.py")} - PLUMBING
    assert set(command.names()) == packages | modules


@pytest.mark.parametrize("name", command.names())
def test_a_benchmark_takes_the_options_and_says_what_its_rival_is(name: str) -> None:
    path = ROOT / "benchmarks" / name / "__init__.py"
    path = path if path.exists() else path.parent.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    measure = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "measure")
    assert [ast.unparse(word.annotation) for word in measure.args.args if word.annotation] == ["Options"]
    assert measure.returns is not None
    assert ast.unparse(measure.returns) == "Iterator[Figure]"
    assert ast.get_docstring(tree)


def test_a_figure_is_one_line_of_json() -> None:
    printed = as_json([ratio("step.tsl", "step_time", 1.0, 2.0, "s"), Figure("report", "share", 0.1, 0.1, None, "s")])
    first, second = map(json.loads, printed.splitlines())
    assert first == {"bench": "step.tsl", "metric": "step_time", "value": 0.5, "ours": 1.0, "rival": 2.0, "unit": "s"}
    assert second["rival"] is None


def test_a_table_has_a_line_for_each_figure() -> None:
    lines = as_table([ratio("step.tsl", "step_time", 1.0, 2.0, "s"), Figure("r", "share", 0.1, 0.1, None, "s")])
    assert [line.split() for line in lines.splitlines()] == [
        ["bench", "metric", "value", "ours", "rival", "unit"],
        ["step.tsl", "step_time", "0.5", "1", "2", "s"],
        ["r", "share", "0.1", "0.1", "s"],
    ]


def test_the_command_prints_every_figure_of_a_benchmark_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(options: Options) -> Iterator[Figure]:
        yield from (ratio("fake", metric, options.repeat, 2.0, "s") for metric in ("first", "second"))

    monkeypatch.setattr("importlib.import_module", lambda name: SimpleNamespace(measure=measure))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "loading", "--json", "--repeat", "3"])
    assert command.main() == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["metric"], one["value"]) for one in printed] == [("first", 1.5), ("second", 1.5)]
    assert list(printed[0]) == ["bench", "metric", "value", "ours", "rival", "unit"]


def test_an_unknown_benchmark_is_refused_with_the_known_ones() -> None:
    words = [sys.executable, "-m", "benchmarks", "nonsense"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert [name for name in ("all", *command.names()) if name not in done.stderr] == []


def test_ranks_of_a_benchmark_are_started_as_those_of_a_trial() -> None:
    words = argv(2, "benchmarks.growth.meet", ["5"])
    assert words[0].endswith("mpirun")
    assert words[-3:] == ["-m", "benchmarks.growth.meet", "5"]
    assert words[words.index("--bind-to") + 1] == "none"


def test_only_the_answers_of_ranks_are_read() -> None:
    assert answers('a warning\n{"a": 1}\n[2]\n{"b": 2}\n') == [{"a": 1}, {"b": 2}]
