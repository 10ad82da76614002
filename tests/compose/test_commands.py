"""Commands that are right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from jack_ray import __version__
from jack_ray.compose import Plan, make_plan, read_command
from jack_ray.compose.load import groups
from jack_ray.compose.schema import STAGES
from jack_ray.contract.trial import Trial
from tests.compose.conftest import Typed

MODEL = "model=tsl_small"


def planned(demo_data: Path, *words: str) -> Plan:
    return make_plan(read_command([MODEL, f"data.root={demo_data}", "cluster.ranks=2", *words]))


def trial(demo_data: Path, *words: str) -> Trial:
    return planned(demo_data, *words).trial(())[0]


def test_help_names_every_group_option_and_setting(typed: Typed) -> None:
    answer = typed("--help")
    assert answer.code == 0
    for group, options in groups().items():
        assert f"  {group}=\n" in answer.out
        for option in options:
            assert f"      {option}" in answer.out
    for name, schema in STAGES.items():
        assert f"  {name}.\n" in answer.out
        for field in schema.__dataclass_fields__:
            assert f"      {field} " in answer.out
    assert "dry_run=true" in answer.out
    assert "fresh=true" in answer.out


def test_every_option_says_in_its_first_line_what_it_is(typed: Typed) -> None:
    page = typed("--help").out.splitlines()
    for options in groups().values():
        for option in options:
            assert any(line.startswith(f"      {option:<12} ") and len(line) > 30 for line in page), option


def test_version_is_that_of_the_package(typed: Typed) -> None:
    assert typed("--version").out == f"jack_ray {__version__}\n"


def test_the_whole_config_is_shown_as_it_would_be_taken(typed: Typed) -> None:
    shown = yaml.safe_load(typed(MODEL, "train.lr=0.5", "--cfg", "job").out)
    assert shown["train"]["lr"] == 0.5
    assert set(shown) == {"model", "data", *STAGES, "dry_run", "fresh", "more"}
    assert shown["data"]["root"] == "data/VideoSenti"


def test_one_node_of_the_config_is_shown(typed: Typed) -> None:
    shown = yaml.safe_load(typed(MODEL, "--cfg", "job", "--package", "train").out)
    assert set(shown) == {"train"}
    assert shown["train"]["batch"] == 8


def test_showing_the_config_needs_no_data(typed: Typed) -> None:
    assert typed(MODEL, "data.root=nowhere", "--cfg", "job").code == 0


def test_a_dry_run_names_every_trial_and_touches_nothing(typed: Typed, demo_data: Path) -> None:
    answer = typed(MODEL, f"data.root={demo_data}", "sweep=lr", "dry_run=true")
    assert answer.code == 0
    assert "3 trials" in answer.out
    assert "12 train videos, 3 test videos" in answer.out
    assert "Each trial needs 2 cores on one machine." in answer.out
    for rate in ("1e-05", "0.0001", "0.001"):
        assert f"train.lr={rate}  (new)" in answer.out
    assert answer.out.count("-m jack_ray.train ") == 3
    assert list(Path.cwd().iterdir()) == []


def test_the_flag_for_several_values_is_taken_and_changes_nothing(typed: Typed, demo_data: Path) -> None:
    words = (MODEL, f"data.root={demo_data}", "sweep=lr", "dry_run=true")
    assert typed("-m", *words).out == typed(*words).out


def test_several_values_of_a_setting_make_a_grid(demo_data: Path) -> None:
    plan = planned(demo_data, "train.lr=1e-5,1e-4", "train.seed=range(1,3)")
    assert plan.base.sweep.strategy == "grid"
    assert plan.base.sweep.over == {"train.lr": "1e-5,1e-4", "train.seed": "range(1,3)"}


def test_typed_values_join_those_of_the_sweep_and_keep_its_strategy(demo_data: Path) -> None:
    plan = planned(demo_data, "sweep=tpe", "train.seed=1,2")
    assert plan.base.sweep.strategy == "tpe"
    assert set(plan.base.sweep.over) == {"train.lr", "train.seed"}


def test_the_long_way_to_type_a_swept_setting_is_the_same(demo_data: Path) -> None:
    short, long = (planned(demo_data, f"{key}=1e-5,1e-4") for key in ("train.lr", "sweep.over.train.lr"))
    assert short.sweep_id == long.sweep_id


def test_a_group_can_be_swept(typed: Typed, demo_data: Path) -> None:
    answer = typed("model=tsl,tsl_small", f"data.root={demo_data}", "dry_run=true")
    assert "2 trials" in answer.out
    ids = [line.split()[0] for line in answer.out.splitlines() if line.endswith("(new)")]
    assert len(set(ids)) == 2
    alone = typed(MODEL, f"data.root={demo_data}", "dry_run=true").out
    assert ids[1] in alone


def test_a_number_typed_or_swept_is_the_same_trial(demo_data: Path) -> None:
    swept = planned(demo_data, "train.lr=1e-4,2e-4")
    assert swept.trial(("train.lr=0.0001",))[0].id == trial(demo_data, "train.lr=1e-4").id
    assert trial(demo_data, "train.lr=0.00010").id == trial(demo_data, "train.lr=1e-4").id


@pytest.mark.parametrize(
    "words",
    [
        ["cluster=inline"],
        ["cluster.cpus_per_rank=2"],
        ["tracking=none"],
        ["tracking.experiment=other"],
        ["site.runs=elsewhere"],
        ["mpi.timeout_s=7"],
        ["sweep.max_concurrent=1"],
        ["train.log_every=5", "train.checkpoint_every=7", "train.keep_checkpoints=9", "train.prefetch=0"],
    ],
)
def test_what_changes_no_number_changes_no_trial(demo_data: Path, words: list[str]) -> None:
    assert trial(demo_data, *words).id == trial(demo_data).id


@pytest.mark.parametrize(
    "word",
    ["train.lr=0.1", "train.seed=5", "model.dropout=0.1", "cluster.ranks=1", "train.steps=5", "data.annotator=all"],
)
def test_every_other_number_is_another_trial(demo_data: Path, word: str) -> None:
    assert trial(demo_data, word).id != trial(demo_data).id


def test_data_that_moved_is_the_same_data(demo_data: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.symlink_to(demo_data)
    assert trial(moved).id == trial(demo_data).id


def test_data_that_changed_is_other_data(demo_data: Path, tmp_path: Path) -> None:
    import shutil

    changed = Path(shutil.copytree(demo_data, tmp_path / "changed"))
    text = (changed / "fps_dict.json").read_text()
    (changed / "fps_dict.json").write_text(text + " ")
    assert trial(changed).id != trial(demo_data).id


def test_the_size_of_a_sweep_does_not_make_it_another(demo_data: Path) -> None:
    few, many = (planned(demo_data, "sweep=random", f"sweep.num_trials={count}") for count in (3, 30))
    assert few.sweep_id == many.sweep_id
    assert few.sweep_id.startswith("random-")
    assert planned(demo_data, "sweep=random", "sweep.seed=1").sweep_id != few.sweep_id


def test_paths_become_absolute(typed: Typed, demo_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/user")
    plan = planned(demo_data, 'site.runs="~/runs"', "site.jittor=jittor")
    assert plan.base.site.runs == "/home/user/runs"
    assert plan.base.site.jittor == str(tmp_path / "jittor")


def test_a_trial_without_a_wish_gets_the_ranks_that_the_machine_has_cores_for(
    demo_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cores, ranks in ((1, 1), (2, 2), (64, 2)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid, cores=cores: set(range(cores)))
        assert trial(demo_data, "cluster.ranks=null").ranks == ranks
    assert trial(demo_data, "cluster.ranks=null", "mpi=none").ranks == 1


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_a_reader_that_has_seen_enough_is_no_error(flag: str) -> None:
    program = f"{sys.executable} -m jack_ray.launch {flag} | true"
    done = subprocess.run(
        ["bash", "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
