import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from jack_ray import predict, test
from jack_ray.apply.request import Trained, find_trained, split_words, whole_number
from jack_ray.apply.run import run
from jack_ray.contract.errors import ConfigError, JackRayError
from jack_ray.contract.paths import TrialFolder


def trained(trial: TrialFolder, *words: str) -> Trained:
    values, rest = split_words([f"run={trial.path}", *words], test.OWN)
    return find_trained(values, rest, list(test.OWN))


def refused(arguments: Sequence[str]) -> str:
    with pytest.raises(JackRayError) as caught:
        test.main(arguments)
    return str(caught.value)


def test_settings_are_those_of_training_but_for_what_was_typed(trial: TrialFolder, tmp_path: Path) -> None:
    ours = trained(trial, "train.prefetch=1", "model.upsampling=12")
    assert (ours.trial.train["prefetch"], ours.trial.model["upsampling"]) == (1, 12)
    assert ours.trial.model["hidden_width"] == 128
    assert ours.labels == ("n", "p")
    assert ours.weights == trial.checkpoints / "step-00000010" / "model.safetensors"


def test_a_data_option_can_be_chosen_anew(trial: TrialFolder, tmp_path: Path) -> None:
    ours = trained(trial, "data=tsl300", f"data.root={tmp_path}")
    assert ours.trial.data["root"] == str(tmp_path)
    assert ours.trial.data["annotator"] == "random"


def test_paths_become_absolute(trial: TrialFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert trained(trial, "data.root=here").trial.data["root"] == str(tmp_path / "here")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["data.roo=/x"], "data.roo: no such setting.*\n.*Did you mean data.root?"),
        (["spilt=val"], "spilt: no such setting.*\n.*Did you mean split?"),
        (["split=vall"], "split=vall: no such split; expected train, val or test"),
        (["model=tsl"], "model=tsl: chosen anew"),
        (["train=tsl"], "train=tsl: cannot be chosen anew"),
        (["train.lr=fast"], "train.lr: 'fast' is text; expected a number"),
        (["batch=0"], "batch=0: not a whole number above 0"),
        (["batch=4", "batch=5"], "batch=5: typed twice"),
        (["output="], "output=: no value"),
        (["data.min_snippets=8,9"], "data.min_snippets: several values; expected one value"),
        (["data.root=/nowhere"], "/nowhere: no such folder"),
        (["weights=/x.pth"], "run or weights: both typed"),
        (["gpu=maybe"], "gpu=maybe: neither true nor false; expected gpu=true"),
        (["output=/dev/null"], "output=/dev/null: cannot be written .*; expected a folder to write"),
    ],
)
def test_a_mistake_is_told_with_what_was_typed(trial: TrialFolder, words: list[str], told: str) -> None:
    assert re.search(told, refused([f"run={trial.path}", *words]))


def test_nothing_to_score_is_told() -> None:
    assert "run or weights: not typed; expected one of them" in refused(["split=val"])
    assert "weights=/no.pth: no such file" in refused(["weights=/no.pth", "model=tsl_small"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "input=: not typed"),
        (["input=/nowhere"], "input=/nowhere: no such file or folder"),
        (["inptu=/x"], "inptu: no such setting.*\n.*Did you mean input?"),
        (["input=/etc/hostname", "output=/dev"], "output=/dev: is a folder; expected a file to write"),
        (["input=/etc/hostname", "pictures=/dev/null/x"], "pictures=/dev/null/x: cannot be written"),
        (["input=/etc/hostname", "timeline=true"], "timeline=true: no output=; expected a file to write"),
        (["timeline=yes"], "timeline=yes: neither true nor false"),
        (["window_s=0", "max_s=inf"], r"window_s=0: not long enough(.|\n)*max_s=inf: without an end"),
        (["window_s=ten"], "window_s=ten: not a number; expected seconds, at least 0.1"),
        (["input=/etc/hostname", "weights=/etc/hostname", "model=tsl_small"], "both typed"),
    ],
)
def test_a_prediction_needs_something_to_predict(trial: TrialFolder, words: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        predict.main([f"run={trial.path}", *words])


def test_a_model_from_bare_weights_needs_the_names_of_its_classes(trial: TrialFolder, demo_data: Path) -> None:
    weights = trial.checkpoints / "step-00000010" / "model.safetensors"
    words = [f"weights={weights}", "model=tsl_small", "cluster.ranks=1", f"input={demo_data}"]
    with pytest.raises(ConfigError, match="labels: not typed; expected labels=A,B"):
        predict.main(words)


def test_bare_weights_come_with_the_options_that_were_typed(trial: TrialFolder) -> None:
    weights = trial.checkpoints / "step-00000010" / "model.safetensors"
    values, rest = split_words([f"weights={weights}", "labels=n,p", "model=tsl_small", "cluster.ranks=1"], test.OWN)
    ours = find_trained(values, rest, list(test.OWN))
    assert (ours.trial.method, ours.labels, ours.trial.model["hidden_width"]) == ("tsl", ("n", "p"), 128)


def test_of_many_files_that_cannot_be_read_the_first_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    predict.tell_faults([f"{number}.mp4: broken" for number in range(30)])
    told = capsys.readouterr().err.splitlines()
    assert told[9:] == ["error: 9.mp4: broken", "error: and 20 more; output=FILE lists all of them."]


def test_whole_numbers_are_read() -> None:
    assert whole_number({"batch": "12"}, "batch") == 12


@pytest.mark.parametrize("arguments", [[], ["--help"], ["run=x", "-h"]])
def test_help_needs_nothing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for command in (test, predict):
        assert run(command.main, command.HELP, arguments) == 0
        assert f"python -m {command.__name__} run=RUN" in capsys.readouterr().out


def test_a_users_mistake_ends_with_code_2_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(test.main, test.HELP, ["run=nothing"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "Traceback" not in told
