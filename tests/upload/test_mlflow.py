"""The writer process against real MLflow: a database, and a server that comes and goes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.environment import PACKAGE_PARENT
from jack_ray.upload import Writer
from jack_ray.upload.__main__ import main
from jack_ray.upload.notice import experiment
from jack_ray.upload.protocol import TrialEnded, encode, read_told
from jack_ray.upload.store import MetricPoint, RefusedError, UnreachableError
from tests.upload.conftest import Scene

pytestmark = [pytest.mark.mlflow, pytest.mark.filterwarnings("ignore")]

STARTED_S = 60.0
"""MLflow takes seconds to import, and longer on a busy machine."""


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "runs", uri=f"sqlite:///{tmp_path / 'mlflow.db'}")


def client(uri: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def all_runs(uri: str) -> list[Any]:
    known = client(uri)
    experiment = known.get_experiment_by_name("jack_ray")
    return [] if experiment is None else list(known.search_runs([experiment.experiment_id]))


def trial_run(uri: str, name: str = "tsl-a") -> Any:
    (run,) = [run for run in all_runs(uri) if run.data.tags.get("jack_ray.trial") == name]
    return run


def steps(uri: str, run_id: str, name: str = "train/total") -> list[int]:
    return [metric.step for metric in client(uri).get_metric_history(run_id, name)]


def wait_for(is_so: Callable[[], object], timeout_s: float = STARTED_S) -> None:
    until = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until, "it never came to pass"
        time.sleep(0.1)


def is_gone(pid: int) -> bool:
    """Ended, whether or not somebody has collected its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def delivered(scene: Scene, name: str = "tsl-a") -> int:
    """The offset in the events that the writer has reached."""
    path = scene.at(name).tracking
    return int(json.loads(path.read_text())[0]["events"]) if path.exists() else 0


def writer_pid(writer: Writer) -> int:
    assert writer._process is not None
    return writer._process.pid


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path, port: int, *options: str) -> Iterator[str]:
    """A server started in a folder as a user would, and gone afterwards."""
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1", *options]
    with (folder / "server.log").open("a") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), 120)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as response:
        return bytes(response.read())


def test_a_sweep_is_nested_runs_in_a_database_that_did_not_exist(scene: Scene, tmp_path: Path) -> None:
    writer = Writer(scene.folder)
    writer.start(scene.sweep())
    for name in ("tsl-a", "tsl-b"):
        writer.trial_started(scene.trial(name))
        scene.begin(name)
        scene.metrics(range(20), name)
        scene.picture(20, name)
        scene.system(4, name)
        scene.checkpoint(10, name, best=0.3 if name == "tsl-a" else 0.5)
        writer.trial_ended(name, "finished")
    delivery = writer.close("finished")
    assert (delivery.undelivered, delivery.message) == (0, "")
    runs = all_runs(scene.uri)
    (parent,) = [run for run in runs if "jack_ray.trial" not in run.data.tags]
    assert {run.info.status for run in runs} == {"FINISHED"}
    costs = {"hours": 0.0, "gpu_hours": 0.0}  # of trials that nobody trained
    assert parent.data.metrics == {"trials/finished": 2.0, "best/val/average_mAP": 0.5} | costs
    assert parent.data.tags["jack_ray.best_trial"] == "tsl-b"
    assert experiment(scene.folder.tracking, scene.uri) == parent.info.experiment_id
    run = trial_run(scene.uri)
    assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert run.data.tags["jack_ray.attempt"] == "1"
    assert run.data.params["train.lr"] == "1e-05"
    assert run.inputs.dataset_inputs[0].dataset.name == "tsl300"
    assert steps(scene.uri, run.info.run_id) == list(range(20))
    assert steps(scene.uri, run.info.run_id, "system/cpu_utilization_percentage") == list(range(4))
    artifacts = tmp_path / "mlartifacts" / "jack_ray" / run.info.run_id / "artifacts"
    assert (artifacts / "val" / "video.png").read_bytes() == b"picture"
    assert (artifacts / "config.yaml").exists()
    stored = artifacts / "checkpoints" / "best" / "model.safetensors"
    assert stored.samefile(scene.at().checkpoints / "step-00000010" / "model.safetensors")


def test_the_interface_started_beside_the_database_shows_runs_and_opens_artifacts(scene: Scene, tmp_path: Path) -> None:
    writer = Writer(scene.folder)
    writer.start(scene.sweep())
    writer.trial_started(scene.trial())
    scene.picture(0)
    scene.checkpoint(10, best=0.3)
    writer.trial_ended("tsl-a", "finished")
    assert writer.close("finished").message == ""
    run_id = trial_run(scene.uri).info.run_id
    with mlflow_server(tmp_path, free_port()) as url:
        assert run_id in {run.info.run_id for run in all_runs(url)}
        listed = json.loads(get(f"{url}/ajax-api/2.0/mlflow/artifacts/list?run_id={run_id}"))
        assert {entry["path"] for entry in listed["files"]} == {"checkpoints", "config.yaml", "trial.json", "val"}
        assert get(f"{url}/get-artifact?run_id={run_id}&path=val/video.png") == b"picture"
        assert len(get(f"{url}/get-artifact?run_id={run_id}&path=checkpoints/last/model.safetensors")) == 100


def test_a_server_that_goes_and_comes_back_loses_nothing_and_doubles_nothing(scene: Scene, tmp_path: Path) -> None:
    port = free_port()
    scene.uri = f"http://127.0.0.1:{port}"
    store = ("--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}")
    writer = Writer(scene.folder)
    writer.start(scene.sweep(give_up_s=60.0))
    writer.trial_started(scene.trial())
    scene.begin()
    scene.metrics(range(10))
    wait_for(lambda: "does not answer" in writer.warning())
    with mlflow_server(tmp_path, port, *store):
        wait_for(lambda: delivered(scene) == scene.at().events.stat().st_size)
        wait_for(lambda: writer.warning() == "")
    scene.metrics(range(10, 20))
    wait_for(lambda: "does not answer" in writer.warning())
    scene.checkpoint(20, best=0.3)
    scene.picture(20)
    writer.trial_ended("tsl-a", "finished")
    with mlflow_server(tmp_path, port, *store):
        delivery = writer.close("finished")
        assert (delivery.undelivered, delivery.message) == (0, "")
        run = trial_run(scene.uri)
        assert run.info.status == "FINISHED"
        assert steps(scene.uri, run.info.run_id) == list(range(20))
        assert get(f"{scene.uri}/get-artifact?run_id={run.info.run_id}&path=val/video.png") == b"picture"


def test_a_server_that_never_answers_is_given_up_and_the_rest_can_be_delivered_later(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.uri = f"http://127.0.0.1:{free_port()}"
    writer = Writer(scene.folder)
    writer.start(scene.sweep(give_up_s=1.0))
    writer.trial_started(scene.trial())
    scene.metrics(range(10))
    writer.trial_ended("tsl-a", "finished")
    delivery = writer.close("finished")
    assert delivery.undelivered == 11
    assert f"python -m jack_ray.upload {scene.folder.path}" in delivery.message
    elsewhere = f"sqlite:///{tmp_path / 'late.db'}"
    assert main([str(scene.folder.path), "--uri", elsewhere]) == 0
    assert "1 trials delivered" in capsys.readouterr().out
    assert steps(elsewhere, trial_run(elsewhere).info.run_id) == list(range(10))
    assert main([str(scene.folder.path), "--uri", elsewhere]) == 0
    assert steps(elsewhere, trial_run(elsewhere).info.run_id) == list(range(10))
    assert main([str(scene.folder.path)]) == 1
    assert "Not everything could be delivered" in capsys.readouterr().err


def test_a_killed_writer_is_started_anew_and_doubles_nothing(scene: Scene) -> None:
    writer = Writer(scene.folder)
    writer.start(scene.sweep())
    writer.trial_started(scene.trial())
    scene.metrics(range(10))
    wait_for(lambda: delivered(scene) == scene.at().events.stat().st_size)
    os.kill(writer_pid(writer), signal.SIGKILL)
    wait_for(lambda: "was started anew" in writer.warning())
    scene.metrics(range(5, 15), attempt=2)
    os.kill(writer_pid(writer), signal.SIGKILL)
    writer.trial_ended("tsl-a", "finished")
    delivery = writer.close("finished")
    assert (delivery.undelivered, delivery.message) == (0, "")
    assert {run.info.status for run in all_runs(scene.uri)} == {"FINISHED"}
    assert steps(scene.uri, trial_run(scene.uri).info.run_id) == list(range(15))


DRIVER = """
import sys, time
from pathlib import Path
from jack_ray.contract.paths import SweepFolder
from jack_ray.upload import Writer
from jack_ray.upload.protocol import decode
sweep, trial = (decode(line) for line in sys.argv[2:])
writer = Writer(SweepFolder(Path(sys.argv[1])))
writer.start(sweep)
writer.trial_started(trial)
print(writer._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("when", ["at once", "while it delivers"])
def test_a_killed_driver_leaves_no_process_and_no_run_that_counts_as_running(scene: Scene, when: str) -> None:
    arguments = [str(scene.folder.path), encode(scene.sweep()), encode(scene.trial())]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
    scene.metrics(range(10))
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    ) as driver:
        assert driver.stdout is not None
        pid = int(driver.stdout.readline())
        if when == "while it delivers":
            wait_for(lambda: delivered(scene) == scene.at().events.stat().st_size)
            scene.metrics(range(10, 20))
        os.kill(driver.pid, signal.SIGKILL)
    wait_for(lambda: is_gone(pid))
    assert not [run for run in all_runs(scene.uri) if run.info.status == "RUNNING"]
    if when == "while it delivers":
        run = trial_run(scene.uri)
        assert run.info.status == "KILLED"
        assert steps(scene.uri, run.info.run_id) == list(range(20))


def test_ctrl_c_and_sigterm_do_not_cut_a_delivery(scene: Scene) -> None:
    writer = Writer(scene.folder)
    writer.start(scene.sweep())
    writer.trial_started(scene.trial())
    scene.metrics(range(10))
    assert os.getpgid(writer_pid(writer)) != os.getpgid(0)
    wait_for(lambda: delivered(scene) == scene.at().events.stat().st_size)
    os.kill(writer_pid(writer), signal.SIGTERM)
    wait_for(lambda: "was started anew" in writer.warning())
    writer.trial_ended("tsl-a", "killed")
    assert writer.close("killed").message == ""
    assert {run.info.status for run in all_runs(scene.uri)} == {"KILLED"}


def test_a_late_delivery_ends_what_a_killed_driver_left_open(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.folder.path.mkdir(parents=True)
    scene.folder.commands.write_text(encode(scene.sweep()) + encode(scene.trial()) + '{"kind": "Trial')
    scene.metrics(range(3))
    assert read_told(scene.folder.commands).endings == {}
    assert main([str(scene.folder.path)]) == 0
    assert {run.info.status for run in all_runs(scene.uri)} == {"KILLED"}
    assert steps(scene.uri, trial_run(scene.uri).info.run_id) == [0, 1, 2]


@pytest.mark.alone  # measures
def test_ten_thousand_numbers_arrive_in_seconds(scene: Scene) -> None:
    from jack_ray.upload.mlflow_store import MlflowStore
    from jack_ray.upload.protocol import Told
    from jack_ray.upload.sweep import SweepDelivery

    told = Told()
    for command in (scene.sweep(), scene.trial(), TrialEnded("tsl-a", "finished")):
        told.take(command)
    scene.metrics(range(5000))
    delivery = SweepDelivery(MlflowStore(scene.uri, "jack_ray"), scene.folder, scene.sweep(), told, {})
    started = time.monotonic()
    delivery.deliver()
    seconds = time.monotonic() - started
    assert len(steps(scene.uri, trial_run(scene.uri).info.run_id)) == 5000
    assert seconds < 30


def test_four_writers_that_meet_at_a_new_database_all_get_in(tmp_path: Path) -> None:
    code = "import sys; from jack_ray.upload.mlflow_store import MlflowStore; MlflowStore(sys.argv[1], sys.argv[2])"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    started = [
        subprocess.Popen([sys.executable, "-c", code, uri, f"experiment{number % 2}"], env=environment)
        for number in range(4)
    ]
    assert [process.wait() for process in started] == [0, 0, 0, 0]


def test_an_experiment_that_somebody_else_makes_at_the_same_moment_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    from jack_ray.upload.mlflow_store import MlflowStore

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    MlflowStore(uri, "team")
    answers = [lambda *_: None, MlflowClient.get_experiment_by_name]  # not there yet, then there
    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", lambda *words: answers.pop(0)(*words))
    run_id = MlflowStore(uri, "team").create("run", {}, time.time())
    monkeypatch.undo()
    made = client(uri).get_experiment_by_name("team")
    assert client(uri).get_run(run_id).info.experiment_id == made.experiment_id


def test_a_store_says_what_it_refuses_for_good(tmp_path: Path) -> None:
    from jack_ray.upload.mlflow_store import MlflowStore

    store = MlflowStore(f"sqlite:///{tmp_path / 'mlflow.db'}", "jack_ray")
    run_id = store.create("run", {"a": "b" * 9000}, time.time())
    with pytest.raises(RefusedError, match="Invalid value"):
        store.log_metrics(run_id, [MetricPoint("loss@1", 1.0, time.time(), 0)])
    store.log_params(run_id, {"x": "1", "long": "y" * 7000})
    with pytest.raises(RefusedError, match="Changing param values is not allowed"):
        store.log_params(run_id, {"x": "2"})
    assert store.info("0" * 32) is None
    client(store.uri).delete_run(run_id)
    assert store.info(run_id) is None
    with pytest.raises(RefusedError):
        store.set_tags(run_id, {"a": "b"})


def test_a_server_that_does_not_answer_is_told_in_a_few_words() -> None:
    from jack_ray.upload.mlflow_store import MlflowStore

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        with pytest.raises(UnreachableError) as raised:
            MlflowStore(f"http://127.0.0.1:{free_port()}", "jack_ray")
    assert str(raised.value) == "Failed to establish a new connection: [Errno 111] Connection refused"


def test_a_database_whose_package_is_missing_is_refused_for_good() -> None:
    from jack_ray.upload.mlflow_store import MlflowStore

    with pytest.raises(RefusedError, match="install what this database needs"):
        MlflowStore("mysql+nosuchdriver://user@127.0.0.1/db", "jack_ray")


def test_an_experiment_of_a_server_refuses_artifacts_that_bypass_it_and_takes_numbers(tmp_path: Path) -> None:
    from jack_ray.upload.mlflow_store import MlflowStore

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    MlflowStore(uri, "other")
    client(uri).create_experiment("served", artifact_location="mlflow-artifacts:/1")
    store = MlflowStore(uri, "served")
    run_id = store.create("run", {}, time.time())
    file = tmp_path / "file.txt"
    file.write_text("x")
    with pytest.raises(RefusedError):
        store.log_file(run_id, file, "")
    store.log_metrics(run_id, [MetricPoint("loss", 1.0, time.time(), 0)])
    assert store.logged(run_id) == {"loss": {0}}
