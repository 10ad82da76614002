"""What is wrong with what was typed, all of it at once."""

import re
from pathlib import Path

import pytest

from jack_ray import promote
from jack_ray.apply.run import run
from jack_ray.contract.errors import ConfigError
from jack_ray.registry.publish import Promoted
from jack_ray.registry.request import read_request

RUN = "tsl-0123456789"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["name=tsl"], "run=: not typed; expected run=RUN: an MLflow run id"),
        ([f"run={RUN}"], "name=: not typed; expected letters, digits"),
        ([f"run={RUN}", "name=a/b"], "name=a/b: not a name for a model"),
        ([f"run={RUN}", "name=tsl", "alias=latest"], "alias=latest: reserved by MLflow"),
        ([f"run={RUN}", "name=tsl", "alias=v12"], "alias=v12: reserved by MLflow"),
        ([f"run={RUN}", "name=tsl", "alias=a b"], "alias=a b: not an alias"),
        (["run=models:/tsl@champion", "name=tsl"], "models:/tsl@champion: a model that is registered already"),
        ([f"run={RUN}", "name=tsl", "force=yes"], "force=yes: neither true nor false"),
        ([f"run={RUN}", "name=tsl", "model.dropout=0.1"], r"model.dropout=..: would make it another model"),
        ([f"run={RUN}", "name=tsl", "tracking=none"], "tracking=none: no MLflow; expected one to register in"),
        ([f"run={RUN}", "name=tsl", "allias=x"], "allias: no such setting.*\n.*Did you mean alias?"),
        ([f"run={RUN}", "name=tsl", "name=tsl"], "name=tsl: typed twice"),
        ([f"run={RUN}", "name=tsl", "site.runs=a,b"], "site.runs: several values; expected one value"),
    ],
)
def test_a_mistake_is_told_with_what_was_typed(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_request(words)
    assert re.search(told, str(caught.value)), caught.value


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_request(["name=a:b", "alias=latest", "force=1", "train.lr=1"])
    assert len(caught.value.faults) == 5


def test_a_single_checkpoint_is_refused_since_the_numbers_are_of_the_best(tmp_path: Path) -> None:
    (tmp_path / "about.json").touch()
    with pytest.raises(ConfigError, match="a single checkpoint; expected an MLflow run id"):
        read_request([f"run={tmp_path}", "name=tsl"])


def test_places_are_absolute_and_the_run_id_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    request = read_request([f"run={'a' * 32}", "name=tsl", "alias=champion", "tracking.uri=sqlite:///own.db"])
    assert request.uri == f"sqlite:///{tmp_path / 'own.db'}"
    assert request.runs == tmp_path / "runs"
    assert request.run_id == "a" * 32
    assert read_request([f"run={RUN}", "name=tsl"]).run_id == ""


def test_help_needs_nothing_and_a_mistake_ends_with_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(promote.main, promote.HELP, ["--help"]) == 0
    assert "python -m jack_ray.promote run=RUN name=NAME" in capsys.readouterr().out
    assert run(promote.main, promote.HELP, ["run=x"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_what_has_been_done_is_told() -> None:
    request = read_request([f"run={RUN}", "name=tsl", "alias=champion"])
    told = promote.told(request, Promoted("4", RUN, True, "3"))
    assert f"tsl version 4: {RUN} registered." in told
    assert "tsl@champion means version 4; it meant version 3 before." in told
    assert "python -m jack_ray.predict run=models:/tsl@champion input=FILE" in told
    again = promote.told(request, Promoted("4", RUN, False, "4"))
    assert "was registered before; its card stays as it is" in again
    assert "it meant it already" in again
