"""What arrives in a store, whatever interrupts the delivery. No MLflow here: see test_mlflow.py."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from jack_ray.contract.failure import now, write_failure
from jack_ray.contract.files import write_json
from jack_ray.contract.state import State, save_state
from jack_ray.upload.describe import metric_name, trial_params
from jack_ray.upload.protocol import Close, Command, Told, TrialEnded
from jack_ray.upload.provenance import source_tags
from jack_ray.upload.record import load_record
from jack_ray.upload.store import RefusedError, UnreachableError
from jack_ray.upload.sweep import SweepDelivery
from jack_ray.upload.trial import undelivered
from tests.upload.conftest import Killed, MemoryRun, MemoryStore, Scene


def told(scene: Scene, *commands: Command) -> Told:
    known = Told()
    for command in (scene.sweep(), *commands):
        known.take(command)
    return known


def delivery(scene: Scene, store: MemoryStore, known: Told) -> SweepDelivery:
    """The delivery of a process that has just started."""
    return SweepDelivery(store, scene.folder, scene.sweep(), known, {"mlflow.source.git.commit": "abc"})


def trial_runs(store: MemoryStore) -> list[MemoryRun]:
    return [run for run in store.runs.values() if "jack_ray.trial" in run.tags]


def parent_runs(store: MemoryStore) -> list[MemoryRun]:
    return [run for run in store.runs.values() if run.tags.get("jack_ray.kind") == "sweep"]


def steps(run: MemoryRun, name: str = "train/total") -> list[int]:
    return [point.step for point in run.points if point.name == name]


def finished_trial(scene: Scene) -> Told:
    known = told(scene, scene.trial())
    scene.begin()
    scene.metrics(range(5))
    scene.picture(4)
    scene.system(3)
    scene.checkpoint(2, best=0.4)
    scene.checkpoint(4)
    known.take(TrialEnded("tsl-a", "finished"))
    return known


def test_a_trial_becomes_a_run_below_the_run_of_its_sweep(scene: Scene, store: MemoryStore) -> None:
    known = finished_trial(scene)
    known.take(Close("finished"))
    delivery(scene, store, known).deliver()
    (parent,), (run,) = parent_runs(store), trial_runs(store)
    assert run.tags["mlflow.parentRunId"] == "run0"
    assert (parent.status, run.status) == ("FINISHED", "FINISHED")
    assert steps(run) == steps(run, "val/mAP_0.10") == [0, 1, 2, 3, 4]
    assert steps(run, "system/cpu_utilization_percentage") == [0, 1, 2]
    assert run.params["train.lr"] == "1e-05"
    assert run.params["model.name"] == "tsl"
    assert run.datasets[0].digest == "0123456789"
    assert run.tags["jack_ray.version.jittor"] == "1.3.11.0"
    assert run.tags["jack_ray.host"] == "lab1"
    assert run.tags["mlflow.source.git.commit"] == "abc"
    assert run.tags["jack_ray.select_on"] == "val"
    assert "jack_ray.selected_on_test" not in run.tags
    assert sorted(run.files) == [
        "checkpoints/best/model.safetensors",
        "checkpoints/best/state.json",
        "checkpoints/last/model.safetensors",
        "checkpoints/last/state.json",
        "config.yaml",
        "trial.json",
        "val/video.png",
    ]
    assert parent.tags["jack_ray.best_trial"] == "tsl-a"
    assert parent.tags["mlflow.source.git.commit"] == "abc"
    assert parent.tags["jack_ray.trials.finished"] == "1"
    assert {(point.name, point.value) for point in parent.points} == {
        ("trials/finished", 1.0),
        ("best/val/average_mAP", 0.4),
        ("hours", 0.0),
        ("gpu_hours", 0.0),
    }


def test_hours_are_those_of_all_attempts_and_add_up_over_trials(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial("tsl-a"), scene.trial("tsl-b"))
    for name in ("tsl-a", "tsl-b"):
        known.take(TrialEnded(name, "finished", numbers={"hours": 0.5, "gpu_hours": 2.0}))
    known.take(Close("finished"))
    delivery(scene, store, known).deliver()
    (parent,) = parent_runs(store)
    assert {point.name: point.value for point in parent.points}["gpu_hours"] == 4.0
    for run in trial_runs(store):
        assert {point.name: point.value for point in run.points}["hours"] == 0.5


def test_selection_on_the_test_split_is_tagged(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial())
    write_json(scene.at().trial, {"method": "tsl", "train": {"select_on": "test"}})
    delivery(scene, store, known).deliver()
    assert trial_runs(store)[0].tags["jack_ray.selected_on_test"] == "true"


@pytest.mark.parametrize("acted", [False, True])
def test_a_writer_killed_at_any_call_leaves_no_doubled_step_and_no_second_run(scene: Scene, acted: bool) -> None:
    """The next process has only the files and the store; all calls of a whole delivery are tried."""
    trial = scene.trial()
    reference = MemoryStore()
    known = finished_trial(scene)
    known.take(Close("finished"))
    delivery(scene, reference, known).deliver()
    for end in range(1, reference.calls + 1):
        scene.at().tracking.unlink()
        scene.folder.tracking.unlink()
        store = MemoryStore()
        store.ends_at, store.acted = end, acted
        with pytest.raises(Killed):
            delivery(scene, store, known).deliver()
        delivery(scene, store, known).deliver()
        (run,) = trial_runs(store)
        (parent,) = parent_runs(store)
        assert steps(run) == steps(run, "val/mAP_0.10") == [0, 1, 2, 3, 4]
        assert steps(run, "system/cpu_utilization_percentage") == [0, 1, 2]
        assert (run.status, parent.status) == ("FINISHED", "FINISHED")
        assert "checkpoints/best/model.safetensors" in run.files
        assert "val/video.png" in run.files
        assert undelivered(scene.sweep(), trial, known.endings["tsl-a"]) == 0


@pytest.mark.parametrize("acted", [False, True])
def test_an_outage_at_any_call_loses_nothing_and_doubles_nothing(scene: Scene, acted: bool) -> None:
    """The same process tries again; with `acted` MLflow had taken the call and only its answer was lost."""
    reference = MemoryStore()
    known = finished_trial(scene)
    known.take(Close("finished"))
    delivery(scene, reference, known).deliver()
    for end in range(1, reference.calls + 1):
        scene.at().tracking.unlink()
        scene.folder.tracking.unlink()
        store = MemoryStore()
        store.ends_at, store.acted, store.error = end, acted, UnreachableError
        going = delivery(scene, store, known)
        with pytest.raises(UnreachableError):
            going.deliver()
        going.deliver()
        (run,) = trial_runs(store)
        assert steps(run) == steps(run, "val/mAP_0.10") == [0, 1, 2, 3, 4]
        assert (run.status, parent_runs(store)[0].status) == ("FINISHED", "FINISHED")
        assert "val/video.png" in run.files


def test_a_continued_attempt_adds_only_new_steps_to_the_same_run(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial())
    scene.begin()
    scene.metrics(range(6))
    going = delivery(scene, store, known)
    going.deliver()
    known.take(TrialEnded("tsl-a", "killed", "stopped by the user"))
    known.take(Close("killed"))
    going.deliver()
    assert [run.status for run in store.runs.values()] == ["KILLED", "KILLED"]

    known = told(scene, scene.trial(attempt=2))
    scene.begin(attempt=2)
    scene.metrics(range(3, 9), attempt=2, offset=0.25)
    going = delivery(scene, store, known)
    going.deliver()
    assert [run.status for run in store.runs.values()] == ["RUNNING", "RUNNING"]
    (run,) = trial_runs(store)
    assert steps(run) == list(range(9))
    values = {point.step: point.value for point in run.points if point.name == "val/mAP_0.10"}
    assert values[5] == 5.0
    assert values[6] == 6.25
    assert run.tags["jack_ray.attempt"] == "2"


def test_events_arrive_in_small_portions_exactly_once(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial())
    scene.begin()
    going = delivery(scene, store, known)
    for step in range(10):
        scene.metrics([step])
        going.deliver()
        going.deliver()
    assert steps(trial_runs(store)[0]) == list(range(10))


def test_more_than_a_thousand_numbers_go_in_several_calls(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial())
    scene.metrics(range(1200))
    delivery(scene, store, known).deliver()
    assert steps(trial_runs(store)[0]) == list(range(1200))


@pytest.mark.parametrize(
    ("status", "run_status"),
    [("finished", "FINISHED"), ("stopped", "FINISHED"), ("failed", "FAILED"), ("killed", "KILLED")],
)
def test_every_ending_has_its_status(scene: Scene, store: MemoryStore, status: str, run_status: str) -> None:
    known = told(scene, scene.trial(), TrialEnded("tsl-a", status, "why"))  # type: ignore[arg-type]
    delivery(scene, store, known).deliver()
    (run,) = trial_runs(store)
    assert run.status == run_status
    assert run.tags["jack_ray.status"] == status


def test_a_failed_trial_shows_its_cause_and_brings_the_logs_of_its_ranks(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial(), TrialEnded("tsl-a", "failed", "the loss is NaN at step 12"))
    write_failure(scene.at().failure(0), now("diverged", "the loss is NaN at step 12", "lab1", 0))
    scene.at().log(0).write_text("nan\n")
    delivery(scene, store, known).deliver()
    (run,) = trial_runs(store)
    assert run.tags["jack_ray.failure"] == run.tags["mlflow.note.content"] == "the loss is NaN at step 12"
    assert {"ranks/00.log", "ranks/00.failed.json"} <= set(run.files)


def test_a_trial_that_was_finished_before_is_left_alone(scene: Scene, store: MemoryStore) -> None:
    known = finished_trial(scene)
    known.take(Close("finished"))
    delivery(scene, store, known).deliver()
    (run,) = trial_runs(store)
    before = (list(run.files), list(run.points))
    delivery(scene, store, known).deliver()
    assert (run.files, run.points) == before
    assert len(store.runs) == 2


def test_a_trial_of_another_sweep_gets_a_run_there_with_its_whole_history(scene: Scene, store: MemoryStore) -> None:
    known = finished_trial(scene)
    delivery(scene, store, known).deliver()
    other = scene.sweep(sweep_id="grid-9")
    known.take(other)
    SweepDelivery(store, scene.folder, other, known, {}).deliver()
    first, second = trial_runs(store)
    assert steps(first) == steps(second) == [0, 1, 2, 3, 4]
    assert first.tags["jack_ray.sweep"] != second.tags["jack_ray.sweep"]


def test_a_run_deleted_by_hand_is_made_anew_with_its_whole_history(scene: Scene, store: MemoryStore) -> None:
    known = finished_trial(scene)
    delivery(scene, store, known).deliver()
    trial_runs(store)[0].deleted = True
    delivery(scene, store, known).deliver()
    assert steps(trial_runs(store)[1]) == [0, 1, 2, 3, 4]


def test_a_run_deleted_while_its_trial_runs_does_not_stop_the_others(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial("tsl-a"), scene.trial("tsl-b"))
    going = delivery(scene, store, known)
    going.deliver()
    trial_runs(store)[0].deleted = True
    scene.begin("tsl-a")
    scene.metrics([1], "tsl-a")
    scene.metrics([1], "tsl-b")
    going.deliver()
    assert any("is deleted" in problem for problem in going.problems)
    assert steps(trial_runs(store)[1]) == [1]


def test_a_trial_trained_anew_in_an_emptied_folder_gets_a_new_run(scene: Scene, store: MemoryStore) -> None:
    known = finished_trial(scene)
    delivery(scene, store, known).deliver()
    scene.at().tracking.unlink()
    scene.at().events.unlink()
    known.take(scene.trial())
    scene.metrics([0], offset=0.5)
    delivery(scene, store, known).deliver()
    assert len(trial_runs(store)) == 2
    assert trial_runs(store)[1].points[0].value == 1.5


def test_runs_that_a_killed_driver_left_running_are_ended_when_the_sweep_goes_on(
    scene: Scene, store: MemoryStore
) -> None:
    known = told(scene, scene.trial("tsl-a"), scene.trial("tsl-b"))
    delivery(scene, store, known).deliver()
    assert Counter(run.status for run in store.runs.values()) == {"RUNNING": 3}
    delivery(scene, store, told(scene, scene.trial("tsl-a"))).deliver()
    assert {run.tags["jack_ray.trial"]: run.status for run in trial_runs(store)} == {
        "tsl-a": "RUNNING",
        "tsl-b": "KILLED",
    }
    assert [run.status for run in parent_runs(store)] == ["RUNNING"]


def test_an_abandoned_sweep_keeps_its_numbers_and_leaves_nothing_running(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial("tsl-a"), scene.trial("tsl-b"))
    going = delivery(scene, store, known)
    going.deliver()
    scene.metrics(range(3), "tsl-a")
    scene.checkpoint(2, "tsl-b", best=0.1)
    known.take(TrialEnded("tsl-b", "finished"))
    going.abandon(until=float("inf"))
    assert {run.tags.get("jack_ray.trial"): run.status for run in store.runs.values()} == {
        None: "KILLED",
        "tsl-a": "KILLED",
        "tsl-b": "FINISHED",
    }
    assert steps(trial_runs(store)[0]) == [0, 1, 2]
    delivery(scene, store, known).deliver()
    assert "checkpoints/last/model.safetensors" in trial_runs(store)[1].files


def test_an_abandoned_sweep_does_not_touch_trials_that_had_ended(scene: Scene, store: MemoryStore) -> None:
    known = finished_trial(scene)
    going = delivery(scene, store, known)
    going.deliver()
    going.abandon(until=float("inf"))
    assert trial_runs(store)[0].status == "FINISHED"


def test_numbers_that_the_store_refuses_are_told_and_do_not_stop_the_rest(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, scene.trial())
    scene.metrics([0])
    store.error = RefusedError
    going = delivery(scene, store, known)
    going.deliver()
    store.ends_at = store.calls + 1
    scene.metrics([1])
    going.deliver()
    scene.metrics([2])
    going.deliver()
    assert steps(trial_runs(store)[0]) == [0, 2]
    assert "numbers were refused" in going.problems[0]


def test_an_upload_of_checkpoints_can_be_switched_off(scene: Scene, store: MemoryStore) -> None:
    known = finished_trial(scene)
    sweep = scene.sweep(upload_checkpoints=False)
    SweepDelivery(store, scene.folder, sweep, known, {}).deliver()
    assert not any(name.startswith("checkpoints") for name in trial_runs(store)[0].files)


def test_undelivered_counts_what_only_the_files_hold(scene: Scene, store: MemoryStore) -> None:
    known = told(scene, trial := scene.trial())
    scene.metrics(range(4))
    scene.system(2)
    assert undelivered(scene.sweep(), trial, None) == 6
    assert undelivered(scene.sweep(), trial, TrialEnded("tsl-a", "finished")) == 7
    delivery(scene, store, known).deliver()
    assert undelivered(scene.sweep(), trial, None) == 0


def test_records_of_two_stores_live_side_by_side(scene: Scene) -> None:
    known = finished_trial(scene)
    first, second = MemoryStore(), MemoryStore()
    delivery(scene, first, known).deliver()
    other = scene.sweep(uri="elsewhere")
    SweepDelivery(second, scene.folder, other, known, {}).deliver()
    assert steps(trial_runs(first)[0]) == steps(trial_runs(second)[0])
    assert load_record(scene.at().tracking, "memory", "lr-1234").status == "finished"
    assert load_record(scene.at().tracking, "elsewhere", "lr-1234").status == "finished"


def test_names_that_mlflow_does_not_take_are_written_with_underscores() -> None:
    assert metric_name("val/mAP@0.10") == "val/mAP_0.10"
    assert metric_name("Rc@AVG") == "Rc_AVG"
    assert metric_name("system/cpu usage-0.5:x") == "system/cpu usage-0.5:x"


def test_a_run_names_the_module_and_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tags = source_tags()
    assert tags["mlflow.source.name"] == "jack_ray.launch"
    assert "jack_ray.version.ray" in tags
    if (Path(__file__).parents[2] / ".git").exists() and shutil.which("git"):
        assert len(tags["mlflow.source.git.commit"]) == 40
        assert tags["jack_ray.git.dirty"] in ("true", "false")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "mlflow.source.git.commit" not in source_tags()


def test_every_setting_is_a_param_under_the_name_it_is_typed_with() -> None:
    trial = {"method": "tsl", "model": {"name": "tsl", "lambdas": [2.0, 1.0], "nms": {"iou": 0.5}}, "ranks": 2}
    assert trial_params(trial, ("train.lr=1e-05", "model=tsl")) == {
        "train.lr": "1e-05",
        "model": "tsl",
        "model.name": "tsl",
        "model.lambdas": "[2.0, 1.0]",
        "model.nms.iou": "0.5",
        "method": "tsl",
        "ranks": "2",
    }


def test_the_run_of_repeats_has_mean_and_deviation_over_the_finished_trials(scene: Scene, store: MemoryStore) -> None:
    known = Told()
    known.take(scene.sweep(repeats=True))
    for name, accuracy in (("tsl-a", 0.2), ("tsl-b", 0.6), ("tsl-c", 0.0)):
        known.take(scene.trial(name))
        scene.begin(name)
        save_state(scene.at(name).state, State("finished", 1, values={"test/mAP@0.10": accuracy}))
        known.take(TrialEnded(name, "failed" if name == "tsl-c" else "finished"))
    known.take(Close("finished"))
    SweepDelivery(store, scene.folder, scene.sweep(repeats=True), known, {}).deliver()
    (parent,) = parent_runs(store)
    values = {point.name: point.value for point in parent.points}
    assert values["mean/test/mAP_0.10"] == pytest.approx(0.4)
    assert values["std/test/mAP_0.10"] == pytest.approx(0.2828427)  # sqrt(2 * 0.2^2 / 1)
