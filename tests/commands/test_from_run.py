"""from_run: what is not as it was is told, and the numbers are held together."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jack_ray.compose import make_plan, read_command
from jack_ray.compose.from_run import changed_settings, plan_again, split_words
from jack_ray.contract import events
from jack_ray.contract.errors import ConfigError, JackRayError
from jack_ray.contract.paths import trial_folder
from jack_ray.contract.trial import Trial
from jack_ray.reproduce.numbers import compare
from jack_ray.reproduce.original import Original, find_original, numbers_of
from jack_ray.reproduce.run import differences

pytestmark = pytest.mark.long

WORDS = (
    "model=tsl_small",
    "train.batch=4",
    "train.lr=0.002",
    "cluster.ranks=1",
    "mpi=none",
    "train.checkpoint_every=7",
)


@pytest.fixture
def trial(demo_data: Path) -> Trial:
    """A trial as a launch makes it."""
    return make_plan(read_command([*WORDS, f"data.root={demo_data}"])).trial(())[0]


def again(trial: Trial, tmp_path: Path, *words: str) -> Trial:
    """The trial that would be trained."""
    plan, newer = plan_again(trial, {"mpi": {"kind": "none"}}, ["from_run=x", *words], tmp_path, "reproduced-x")
    assert plan.sweep_id == "reproduced-x"
    assert newer == []
    return plan.trial(())[0]


def test_the_trial_is_exactly_the_same_whatever_the_defaults_are(trial: Trial, tmp_path: Path) -> None:
    assert again(trial, tmp_path) == trial
    assert again(trial, tmp_path, "cluster=inline", "tracking=none").id == trial.id


def test_the_number_of_threads_is_kept(trial: Trial, tmp_path: Path) -> None:
    assert again(replace(trial, threads=3), tmp_path).threads == 3


def test_data_in_another_place_and_settings_without_consequence_may_be_typed(trial: Trial, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.symlink_to(trial.data["root"])
    found = again(trial, tmp_path, f"data.root={moved}", "train.checkpoint_every=1")
    assert (found.data["root"], found.train["checkpoint_every"], found.id) == (str(moved), 1, trial.id)


@pytest.mark.parametrize(
    "word", ["train.lr=1", "model=tsl", "train.seed=1,2", "cluster.ranks=2", "fresh=true", "sweep=lr", "x=1"]
)
def test_what_would_make_it_another_trial_is_refused(trial: Trial, tmp_path: Path, word: str) -> None:
    with pytest.raises(ConfigError, match="would make it another trial"):
        again(trial, tmp_path, word)


def test_a_setting_that_this_version_does_not_have_is_refused_with_a_hint(trial: Trial, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"(?s)train\.old: no such setting.*check out its commit"):
        again(replace(trial, train=trial.train | {"old": 1}), tmp_path)


def test_a_setting_that_is_newer_than_the_run_is_taken_from_conf_and_told(trial: Trial, tmp_path: Path) -> None:
    train = {key: value for key, value in trial.train.items() if key != "nesterov"}
    plan, newer = plan_again(replace(trial, train=train), {}, ["from_run=x", "mpi=none"], tmp_path, "reproduced-x")
    assert newer == ["train.nesterov"]
    assert plan.trial(())[0].id == trial.id


def test_a_part_of_a_populations_training_is_refused_with_what_to_type(trial: Trial, tmp_path: Path) -> None:
    for part in (replace(trial, until=10), replace(trial, origin={"trial": "x", "step": 5})):
        with pytest.raises(ConfigError, match=r"(?s)a part of a population's training.*Type the sweep's command"):
            again(part, tmp_path)


def test_from_run_is_one_word_with_a_value() -> None:
    assert split_words(["from_run=x", "cluster=inline"]) == ("x", ["cluster=inline"])
    assert split_words(["model=tsl"]) == (None, ["model=tsl"])
    for words in (["from_run="], ["from_run=x", "from_run=y"]):
        with pytest.raises(ConfigError, match="one run: from_run=RUN"):
            split_words(words)


def test_every_difference_of_settings_data_versions_code_and_machine_is_told(trial: Trial) -> None:
    tags = {"mlflow.source.git.commit": "0" * 40, "jack_ray.git.dirty": "true"}
    about = {"host": "elsewhere", "versions": {"numpy": "0.1", "nothing": "2", "python": "2.7"}}
    before = replace(trial, data_identity="before", weights_digest="x", train=trial.train | {"lr": 1.0})
    told = "\n".join(differences(Original("x", before, {}, {}, tags, about), trial, ["train.new"]))
    for words in (
        "train.new is newer than the run", "train.lr: 1.0 was, 0.002 is", "before was, ", "have another content",
        "numpy: 0.1 was, 1.", "nothing: 2 was, not installed is", "python: 2.7 was, 3.", "commit 000000000000 was, ",
        "changes that were in no commit", "the machine: elsewhere was",
    ):  # fmt: skip
        assert words in told


def test_what_changes_no_number_is_no_difference(trial: Trial) -> None:
    assert changed_settings(trial, replace(trial, train=trial.train | {"log_every": 7, "workers": 9})) == []
    moved = replace(trial, data=trial.data | {"root": "/elsewhere"})
    assert changed_settings(trial, moved) == []
    assert changed_settings(trial, json_trial(trial)) == []


def json_trial(trial: Trial) -> Trial:
    """As it is read from its file, where tuples are lists."""
    return replace(trial, **{node: json.loads(json.dumps(getattr(trial, node))) for node in ("model", "data", "train")})


def test_equal_numbers_are_called_the_same_bit_for_bit() -> None:
    numbers = {("loss", 1): 0.1, ("loss", 2): 0.2, ("val/f1", 2): 0.0}
    comparison = compare(numbers, numbers | {("more", 1): 1.0})
    assert comparison.is_same
    assert comparison.words() == ["The same numbers, bit for bit: 3 values of 2 metrics over 2 steps."]


def test_the_first_difference_is_the_one_of_the_earliest_step() -> None:
    before = {("val/f1", 5): 0.5, ("loss", 2): 1.0, ("loss", 3): 2.0}
    now = {("val/f1", 5): 0.25, ("loss", 2): 1.0, ("loss", 3): 2.0000000000000004}
    comparison = compare(before, now)
    assert not comparison.is_same
    assert comparison.words() == [
        "Other numbers: 2 of 3 values of 2 metrics over 5 steps differ.",
        "The first is loss at step 3: 2.0 was, 2.0000000000000004 is.",
        "The largest relative difference is 0.5: val/f1 at step 5.",
    ]


def test_a_number_that_did_not_come_again_is_no_success() -> None:
    comparison = compare({("loss", 1): 1.0, ("loss", 2): 1.0}, {("loss", 1): 1.0})
    assert not comparison.is_same
    assert comparison.words()[-1] == "1 values of the original did not come out again."
    assert not compare({}, {}).is_same


def test_an_original_is_found_by_trial_folder_and_run(trial: Trial, tmp_path: Path) -> None:
    folder = trial_folder(tmp_path, trial.id)
    trial.save(folder.trial)
    events.append(folder.events, events.new("started", 1, host="alpha", versions={"numpy": "1"}))
    events.append(folder.events, events.new("metrics", 1, 3, {"val/mAP@0.10": 0.5}))
    events.append(folder.events, events.new("metrics", 2, 3, {"val/mAP@0.10": 0.6}))
    folder.tracking.write_text(json.dumps([{"uri": "sqlite:////nowhere/x.db", "sweep": "s", "run_id": "a" * 32}]))
    for run in (trial.id, str(folder.path), "a" * 32):
        found = find_original(run, tmp_path, "sqlite:////nowhere/x.db", lambda text: {})
        assert (found.trial, found.folder) == (json_trial(trial), folder)
        assert found.numbers == {("val/mAP_0.10", 3): 0.5}  # what was told first
        assert found.about["host"] == "alpha"


def test_an_unknown_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="from_run=tsl-1: nothing of that name"):
        find_original("tsl-1", tmp_path, "sqlite:////nowhere/x.db", lambda text: {})
    with pytest.raises(JackRayError, match="There is no MLflow store"):
        find_original("a" * 32, tmp_path, "sqlite:////nowhere/x.db", lambda text: {})


def test_final_numbers_are_compared_too() -> None:
    told = [events.new("metrics", 1, 1, {"loss": 1.0}), events.new("finished", 1, 1, {"test/f1": 0.5})]
    assert numbers_of(told) == {("loss", 1): 1.0, ("test/f1", 1): 0.5}
