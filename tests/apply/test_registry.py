"""Promotion into a real MLflow, of trials whose weights nobody loads."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from jack_ray import promote
from jack_ray.apply.source import find_checkpoint
from jack_ray.contract import events
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.files import file_sha256, write_json
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.scored import of_segments
from jack_ray.registry import publish
from jack_ray.registry.publish import CARD, Promoted
from jack_ray.registry.request import read_request
from tests.apply.delivered import Delivered, deliver

pytestmark = [pytest.mark.mlflow, pytest.mark.filterwarnings("ignore")]


def scored(folder: TrialFolder, average: float) -> None:
    """Leave what an evaluation leaves: a segment that is found, and its number."""
    samples = {"v1": ([(1.0, 2.0, "p")], [("p", 0.9, 1.0, 2.0)]), "v2": ([(1.0, 2.0, "p")], [("p", 0.8, 1.0, 2.0)])}
    write_json(folder.artifacts / "test" / "scored.json", of_segments(("n", "p"), (0.1,), samples))
    events.append(folder.events, events.new("artifact", 1, 15, path="test/scored.json"))
    events.append(folder.events, events.new("finished", 1, 15, {"test/average_mAP": average}))


@pytest.fixture
def delivered(trial: TrialFolder, tmp_path: Path) -> Delivered:
    scored(trial, 1.0)
    return deliver(trial, tmp_path)


def promoted(delivered: Delivered, *words: str) -> Promoted:
    return publish.promote(read_request(delivered.words(*words)))


def client(delivered: Delivered) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=delivered.uri, registry_uri=delivered.uri)


def models(delivered: Delivered) -> list[Any]:
    known = client(delivered)
    return list(known.search_logged_models([known.get_run(delivered.run_id).info.experiment_id]))


def model_folder(delivered: Delivered) -> Path:
    (model,) = models(delivered)
    return Path(model.artifact_location.removeprefix("file://"))


def test_a_version_is_whole_and_the_alias_means_it(delivered: Delivered, capsys: pytest.CaptureFixture[str]) -> None:
    assert promote.main(delivered.words("alias=champion", "data_note=generated")) == 0
    assert "ours version 1: " in capsys.readouterr().out
    version = client(delivered).get_model_version_by_alias("ours", "champion")
    best = delivered.folder.checkpoints / "step-00000010"
    assert (str(version.version), version.run_id) == ("1", delivered.run_id)
    assert version.tags["jack_ray.trial"] == delivered.folder.path.name
    assert version.tags["jack_ray.sha256"] == file_sha256(best / "model.safetensors")
    assert {"jack_ray.sweep", "jack_ray.method", "jack_ray.data", "jack_ray.data_identity"} <= version.tags.keys()
    assert "| average_mAP | 1.000 | 1.000 to 1.000 |" in version.description

    folder = model_folder(delivered)
    assert (folder / "artifacts" / "checkpoint" / "model.safetensors").read_bytes() == b"weights"
    assert "generated" in (folder / CARD).read_text()
    assert not list(folder.rglob("*.pkl"))
    assert "jittor==" in (folder / "requirements.txt").read_text()
    assert json.loads((folder / "input_example.json").read_text())["data"] == [["features/test/rgb/VIDEO.npy"]]
    assert client(delivered).get_run(delivered.run_id).info.status == "FINISHED"


def test_promoting_again_gives_the_same_version_and_can_take_the_alias_back(delivered: Delivered) -> None:
    name, weights = delivered.folder.path.name, delivered.folder.checkpoints / "step-00000010" / "model.safetensors"
    assert promoted(delivered, "alias=champion") == Promoted("1", name, True, None)
    weights.unlink()  # the run's artifact is a link to it
    weights.write_bytes(b"other weights")
    assert promoted(delivered, "alias=champion") == Promoted("2", name, True, "1")
    weights.write_bytes(b"weights")
    assert promoted(delivered, "alias=champion") == Promoted("1", name, False, "2")
    assert promoted(delivered) == Promoted("1", name, False, None)
    assert len(models(delivered)) == 2


@pytest.mark.parametrize("interrupted", ["log_model_artifacts", "create_model_version", "set_registered_model_alias"])
def test_ctrl_c_leaves_nothing_that_the_alias_sees_and_the_next_promotion_goes_on(
    delivered: Delivered, monkeypatch: pytest.MonkeyPatch, interrupted: str
) -> None:
    from mlflow import MlflowClient

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, interrupted, stop)
        with pytest.raises(KeyboardInterrupt):
            promoted(delivered, "alias=champion")
    assert all("champion" not in one.aliases for one in client(delivered).search_registered_models())
    done = promoted(delivered, "alias=champion")
    assert (done.version, done.before) == ("1", None)
    assert sum(str(one.status) == "READY" for one in models(delivered)) == 1


def test_a_registered_model_leads_to_its_checkpoint_also_without_the_trials_folder(
    delivered: Delivered, tmp_path: Path
) -> None:
    promoted(delivered, "alias=champion")
    shutil.rmtree(delivered.folder.path)
    for name in ("models:/ours@champion", "models:/ours/1"):
        found = find_checkpoint(name, tmp_path / "elsewhere", delivered.uri)
        assert (found / "model.safetensors").read_bytes() == b"weights"
        assert (found / "about.json").is_file()
        assert found.parent == tmp_path / "elsewhere" / "fetched"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("models:/ours", "no such form; expected models:/NAME@ALIAS or models:/NAME/VERSION"),
        ("models:/ours@nobody", "Registered model alias nobody not found"),
        ("models:/other/1", r"Model Version \(name=other, version=1\) not found"),
    ],
)
def test_a_model_that_is_not_registered_is_told(delivered: Delivered, tmp_path: Path, name: str, told: str) -> None:
    promoted(delivered)
    with pytest.raises(JackRayError, match=told):
        find_checkpoint(name, tmp_path, delivered.uri)


def test_a_run_that_has_not_finished_needs_a_word(trial: TrialFolder, tmp_path: Path) -> None:
    killed = deliver(trial, tmp_path, "killed")
    with pytest.raises(JackRayError, match=r"is killed, not finished: (.|\n)*type force=true"):
        promoted(killed)
    assert promoted(killed, "force=true").version == "1"
    text = (model_folder(killed) / CARD).read_text()
    assert "Training has not finished: the run is killed." in text
    assert "the run left no scored.json" in text


def test_a_trial_is_found_by_its_id_and_one_that_was_never_delivered_is_told(
    delivered: Delivered, trial: TrialFolder
) -> None:
    words = [word for word in delivered.words() if not word.startswith("run=")]
    assert publish.promote(read_request([f"run={trial.path.name}", *words])).version == "1"
    moved = shutil.copytree(trial.path, trial.path.with_name("copy"))
    about = moved / "checkpoints" / "step-00000010" / "about.json"
    values = json.loads(about.read_text())
    values["trial"]["data_identity"] = "another"
    write_json(about, values)
    with pytest.raises(JackRayError, match=r"has no run of tsl-.*Type python -m jack_ray\.upload SWEEP_FOLDER"):
        publish.promote(read_request([f"run={moved}", *words]))


def test_numbers_that_are_not_those_of_the_samples_are_refused(trial: TrialFolder, tmp_path: Path) -> None:
    scored(trial, 0.5)
    with pytest.raises(JackRayError, match=r"gives average_mAP 1\.000000, and the run reports 0\.500000"):
        promoted(deliver(trial, tmp_path))


def test_a_registry_that_is_away_is_told(trial: TrialFolder) -> None:
    words = [f"run={trial.path}", "name=ours", "tracking.uri=http://127.0.0.1:9"]
    with pytest.raises(JackRayError, match=r"MLflow at http://127\.0\.0\.1:9: .*refused"):
        publish.promote(read_request(words))
