"""Every mistake on the command line gets one message that says what to type, and exit code 2."""

from pathlib import Path

import pytest

from jack_ray.compose import load, plan
from tests.compose.conftest import Typed

MODEL = "model=tsl_small"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["model=tls"], ["model=tls: no such option", "Did you mean tsl? There are: "]),
        ([MODEL, "sweep=lrr"], ["sweep=lrr: no such option; expected a file of conf/sweep/", "Did you mean lr?"]),
        (["sweep=lr"], ["model: not chosen; expected one of ", "Type model="]),
        ([], ["model: not chosen"]),
        (["model=null"], ["model=None: no such option"]),
        ([MODEL, "train={lr: 3}"], ["train={'lr': 3}: no such option", "There are: "]),
        (["model=tsl_small,tls"], ["model=tls: no such option"]),
        ([MODEL, "train.lr=abc"], ["train.lr: 'abc' is text; expected a number"]),
        ([MODEL, "train.lr="], ["train.lr: '' is text; expected a number"]),
        ([MODEL, "train.lr=-1"], ["train.lr: -1; expected a number > 0"]),
        ([MODEL, "train.lrr=1"], ["train.lrr: no such setting", "Did you mean train.lr?"]),
        ([MODEL, "lr=1"], ["lr: no such setting", "Did you mean train.lr?"]),
        ([MODEL, "+train.foo=1"], ["train.foo: no such setting"]),
        ([MODEL, "foo=1"], ["foo: no such setting", "There are: cluster, data, dry_run,"]),
        ([MODEL, "~train.lr"], ["train.lr: missing; expected a number"]),
        ([MODEL, "train.lr=${nothing}"], ["Interpolation key 'nothing' not found"]),
        ([MODEL, "dry_run=1"], ["dry_run: 1; expected true or false"]),
        (
            [MODEL, "sweep=asha", "sweep.min_steps=100"],
            ["sweep.min_steps: 100, but a trial ends after train.steps=100", "Type sweep.min_steps=25."],
        ),
        ([MODEL, "train.select_on=val,test"], ["train.select_on: several values; expected one value: it is what"]),
        ([MODEL, "--foo"], ["--foo: no such flag; expected --help"]),
        ([MODEL, "-x"], ["-x: no such flag"]),
        ([MODEL, "--cfg", "all"], ["-c/--cfg: invalid choice: 'all'"]),
        ([MODEL, "--cfg"], ["-c/--cfg: expected one argument"]),
        ([MODEL, "--cfg", "job", "-p", "trian"], ["--package: trian; expected a node", "Did you mean train?"]),
        ([MODEL, "site.runs=~/x"], ["site.runs=~/x: cannot be read", "Quote it: 'site.runs=\"~/x\"'."]),
        ([MODEL, "word"], ["word: a word alone; expected setting=value", "Type --help"]),
        ([MODEL, "train.lr=[1,"], ["train.lr=[1,: cannot be read", "Quote it: 'train.lr=\"[1,\"'."]),
        (
            [MODEL, "train.batch=7"],
            ["train.batch: 7 does not divide among 2 ranks", "Type train.batch=6, or cluster.ranks=1"],
        ),
        ([MODEL, "train.batch=1"], ["Type train.batch=2, or cluster.ranks=1"]),
        ([MODEL, "mpi=none", "cluster.ranks=2"], ["cluster.ranks: 2; expected 1 with mpi=none", "Type mpi=openmpi"]),
        (
            [MODEL, "cluster.gpus_per_trial=1.5"],
            [
                "cluster.gpus_per_trial: 1.5; expected a whole number, or a part of one GPU",
                "Type cluster.gpus_per_trial=2",
            ],
        ),
        (
            [MODEL, "cluster.ranks=4", "cluster.gpus_per_trial=2"],
            ["cluster.ranks: 4 for 2 GPUs; expected as many ranks as GPUs", "Type cluster.ranks=2, or leave it out"],
        ),
        (
            [MODEL, "cluster=running", "cluster.nodes_per_trial=5", "cluster.ranks=2"],
            ["cluster.nodes_per_trial: 5 for 2 ranks; expected a rank on each machine"],
        ),
        (
            [MODEL, "cluster=running", "cluster.nodes_per_trial=2", "cluster.gpus_per_trial=0.5", "cluster.ranks=2"],
            ["cluster.nodes_per_trial: 2; expected 1 where the ranks share a GPU"],
        ),
        (
            [MODEL, "cluster.gpus_per_trial=0.5", "cluster.ranks=2"],
            ["cluster.ranks: 2 for 0.5 of a GPU; expected 1 with a part of a GPU", "Type cluster.ranks=1"],
        ),
        (
            [MODEL, "cluster.nodes_per_trial=2"],
            ["cluster.nodes_per_trial: 2; expected 1 on this machine alone", "Type cluster=running"],
        ),
        ([MODEL, "retry=never"], ["retry=never: no such option; expected a file of conf/retry/"]),
        ([MODEL, "cluster.ranks=0"], ["cluster.ranks: 0; expected a whole number >= 1, or null"]),
        (
            [MODEL, "data=ve8"],
            ["data: 've8', a data set that tsl cannot read; expected one of tsl300", "Type data=tsl300"],
        ),
        (
            [MODEL, "model.i3d_weights=w.pt"],
            ["model.i3d_weights: no file ", "w.pt; expected a file with weights, or null"],
        ),
        ([MODEL, "train.weights=w.pth"], ["train.weights: no file ", "w.pth; expected a file with weights"]),
        ([MODEL, "train.metric=mAPP"], ["train.metric: 'mAPP'; expected a number that TSL-Net reports"]),
        ([MODEL, "model.name=tls"], ["model.name: 'tls'; expected a method", "There are: "]),
        ([MODEL, "train.lrr=1,2"], ["train.lrr: no such setting", "Did you mean train.lr?"]),
        ([MODEL, "cluster.ranks=1,2"], ["cluster.ranks: several values; expected one value", "Type a launch for each"]),
        ([MODEL, "cluster=inline,local"], ["cluster: several values; expected one value"]),
        ([MODEL, "dry_run=true,false"], ["dry_run: several values; expected one value"]),
        (
            [MODEL, "train.seed=1,2", "train.lr=interval(1,2)", "sweep=grid"],
            ["sweep.over.train.lr: interval(1,2) has no"],
        ),
    ],
)
def test_a_mistake_is_told_with_what_to_type(typed: Typed, demo_data: Path, words: list[str], told: list[str]) -> None:
    answer = typed(f"data.root={demo_data}", *words)
    assert answer.code == 2
    assert answer.error.startswith("error: The configuration has faults (")
    for part in told:
        assert part in answer.error
    assert list(Path.cwd().iterdir()) == []


def test_all_mistakes_are_told_at_once(typed: Typed) -> None:
    answer = typed(MODEL, "word", "sweep=lrr", "train.lr=abc", "train.lrr=1", "cluster.ranks=1,2", "tracking.flush_s=0")
    assert "(6 found)" in answer.error
    for part in ("word:", "sweep=lrr:", "train.lr:", "train.lrr:", "cluster.ranks:", "tracking.flush_s:"):
        assert f"\n  {part}" in answer.error


def test_a_value_of_a_sweep_that_cannot_be_is_told_with_its_point(typed: Typed, demo_data: Path) -> None:
    answer = typed(MODEL, f"data.root={demo_data}", "train.batch=8,7,5")
    assert "train.batch [train.batch=7]: 7 does not divide" in answer.error
    assert "train.batch [train.batch=5]: 5 does not divide" in answer.error
    assert "(2 found)" in answer.error


def test_missing_data_is_told_with_the_command_that_makes_some(typed: Typed) -> None:
    answer = typed(MODEL, "data.root=nowhere")
    root = Path.cwd() / "nowhere"
    assert answer.code == 2
    assert answer.error.startswith(f"error: The data has faults (1 found):\n  {root}: no such folder")
    assert f"python -m jack_ray.data demo tsl {root}" in answer.error


def test_a_setting_that_a_sweep_file_misspells_is_named(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    conf = tmp_path_factory.mktemp("own") / "conf"
    own = "defaults: [none, _self_]\nstrategy: grid\nover:\n  train.lrr: 1,2\n  sweep.seed: 1,2\n"
    for path in load.config_folder().rglob("*.yaml"):
        target = conf / path.relative_to(load.config_folder())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    (conf / "sweep" / "own.yaml").write_text(own)
    monkeypatch.setattr(load, "config_folder", lambda: conf)
    load.groups.cache_clear()
    try:
        answer = typed(MODEL, "sweep=own")
    finally:
        load.groups.cache_clear()
    assert (
        "sweep.over.train.lrr: no such setting; expected a setting of the config\n    Did you mean train.lr?"
        in answer.error
    )
    assert "sweep.over.sweep.seed: several values" in answer.error


def test_a_file_that_cannot_be_opened_is_named(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/secret/gt.json")

    monkeypatch.setattr(plan.Plan, "inspect", refuse)
    answer = typed(MODEL)
    assert (answer.code, answer.error) == (2, "error: /secret/gt.json: Permission denied\n")


def test_ctrl_c_before_the_first_trial_is_one_word(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(plan.Plan, "inspect", interrupt)
    answer = typed(MODEL)
    assert (answer.code, answer.error) == (130, "Stopped.\n")


def test_a_folder_for_trials_that_cannot_be_written_is_named(typed: Typed, demo_data: Path) -> None:
    Path("file").touch()
    answer = typed(MODEL, f"data.root={demo_data}", "site.runs=file/runs", "cluster=inline")
    where = Path.cwd() / "file" / "runs"
    assert answer.code == 2
    assert answer.error == f"error: site.runs={where} cannot be written to (Not a directory). Type site.runs=FOLDER.\n"


def test_an_address_that_mlflow_would_take_for_a_folder_is_refused(typed: Typed, demo_data: Path) -> None:
    answer = typed(MODEL, f"data.root={demo_data}", "tracking.uri=foo://x", "cluster=inline")
    assert answer.code == 2
    assert "tracking.uri: 'foo://x'; expected http://host:port or sqlite:///file.db" in answer.error
    assert list(Path.cwd().iterdir()) == []
