"""The driver's end of the writer, the commands, and the messages; without MLflow."""

import fcntl
import json
import os
import signal
import time
from pathlib import Path

import pytest

from jack_ray.contract.errors import ConfigError
from jack_ray.contract.files import write_json
from jack_ray.upload import NoWriter, Writer, absolute_uri, check_uri
from jack_ray.upload.__main__ import main
from jack_ray.upload.notice import Notice, experiment, parent_run, read_notice, remember_parent_run, write_notice
from jack_ray.upload.protocol import Close, Told, TrialEnded, decode, encode, read_told
from jack_ray.upload.record import Record, load_record
from jack_ray.upload.service import Inbox, Service
from jack_ray.upload.store import Store, UnreachableError
from jack_ray.upload.system import read_system
from jack_ray.upload.uri import runs_page, without_password
from tests.upload.conftest import MemoryStore, Scene


@pytest.mark.parametrize("uri", ["mlflow.db", "file:///tmp/mlruns", "sqlite:///", "", "htp://lab:5000"])
def test_an_address_that_mlflow_would_take_for_a_folder_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"(?s)tracking.uri: .*Type tracking.uri=sqlite:///mlflow.db"):
        check_uri(uri)


@pytest.mark.parametrize("uri", ["http://lab:5000", "https://lab", "sqlite:///mlflow.db", "postgresql://u@h/d"])
def test_servers_and_databases_are_addresses(uri: str) -> None:
    check_uri(uri)


def test_a_relative_database_lies_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_uri("sqlite:///mlflow.db") == f"sqlite:///{tmp_path}/mlflow.db"
    assert absolute_uri("sqlite:///a/m.db?timeout=3") == f"sqlite:///{tmp_path}/a/m.db?timeout=3"
    assert absolute_uri("sqlite:////var/m.db") == "sqlite:////var/m.db"
    assert absolute_uri("http://lab:5000") == "http://lab:5000"


def test_a_password_in_an_address_is_not_shown() -> None:
    assert without_password("postgresql://jack:se:cret@lab:5432/mlflow") == "postgresql://jack:***@lab:5432/mlflow"
    assert without_password("http://127.0.0.1:5000") == "http://127.0.0.1:5000"
    assert without_password("sqlite:////home/jack/mlflow.db") == "sqlite:////home/jack/mlflow.db"


@pytest.mark.parametrize("server", ["http://lab:5000", "https://lab/mlflow/"])
def test_the_runs_of_an_experiment_have_an_address_at_the_server(server: str) -> None:
    address = runs_page(server, "3")
    assert address.startswith(f"{server.rstrip('/')}/#/experiments/3/runs?")
    assert "workflowType=machine_learning" in address


def test_commands_travel_as_lines_and_the_last_word_on_a_trial_counts(scene: Scene) -> None:
    first, again = scene.trial(), scene.trial(attempt=2)
    told = Told()
    for command in (scene.sweep(), first, TrialEnded("tsl-a", "killed"), again, Close("finished")):
        line = encode(command)
        assert line.endswith("\n")
        assert decode(line) == command
        told.take(command)
    assert list(told.commands()) == [scene.sweep(), again, Close("finished")]


@pytest.mark.parametrize("line", ["", "{", "[]", '{"kind": "Nonsense"}', '{"kind": "Close"}'])
def test_half_a_line_is_no_command(line: str) -> None:
    assert decode(line) is None


def test_the_driver_never_waits_and_says_once_that_the_writer_cannot_live(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jack_ray.upload.writer.sys.executable", "/bin/false")
    writer = Writer(scene.folder)
    writer.start(scene.sweep())
    trials = [scene.trial(f"tsl-{number}") for number in range(10)]
    began = time.monotonic()
    for number in range(2000):
        writer.trial_started(trials[number % 10])
    assert time.monotonic() - began < 5
    until = time.monotonic() + 10
    while "again. Nothing is lost" not in writer.warning():
        assert time.monotonic() < until
        time.sleep(0.05)
    delivery = writer.close("finished")
    assert "ended before it was done" in delivery.message
    assert f"python -m jack_ray.upload {scene.folder.path}" in delivery.message
    assert len(read_told(scene.folder.commands).trials) == 10


def test_a_machine_that_cannot_start_a_writer_still_closes_the_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jack_ray.upload.writer.sys.executable", "/bin/false")
    writer = Writer(scene.folder)
    writer.start(scene.sweep())
    monkeypatch.setattr("jack_ray.upload.writer.sys.executable", str(scene.runs / "missing"))
    assert "ended before it was done" in writer.close("finished").message


def test_a_writer_that_was_warm_is_told_the_sweep_and_one_without_a_sweep_is_ended(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.runs.mkdir(exist_ok=True)
    script = scene.runs / "writer"
    script.write_text("#!/bin/sh\nexec head -n 1 > told\n")
    script.chmod(0o755)
    monkeypatch.setattr("jack_ray.upload.writer.sys.executable", str(script))
    monkeypatch.chdir(scene.runs)
    writer = Writer(scene.folder)
    writer.warm()
    process = writer._process
    assert process is not None
    assert process.poll() is None
    writer.start(scene.sweep())
    assert writer._process is process
    assert process.wait(10) == 0
    assert decode((scene.runs / "told").read_text()) == scene.sweep()

    useless = Writer(scene.folder)
    useless.warm()
    process = useless._process
    assert process is not None
    useless.discard()
    assert process.returncode == -signal.SIGKILL


def test_what_is_to_be_done_meanwhile_is_done_while_the_rest_is_delivered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.runs.mkdir(exist_ok=True)
    script = scene.runs / "writer"
    script.write_text("#!/bin/sh\nuntil [ -e done ]; do sleep 0.01; done\n")
    script.chmod(0o755)
    monkeypatch.setattr("jack_ray.upload.writer.sys.executable", str(script))
    monkeypatch.chdir(scene.runs)
    writer = Writer(scene.folder)
    writer.start(scene.sweep())
    assert writer.close("finished", meanwhile=(scene.runs / "done").touch).message == ""


def test_no_tracking_takes_the_same_calls(scene: Scene) -> None:
    writer = NoWriter()
    writer.warm()
    writer.start(scene.sweep())
    writer.trial_started(scene.trial())
    writer.trial_ended("tsl-a", "finished")
    assert writer.warning() == ""
    assert writer.close("finished", meanwhile=scene.folder.commands.touch).message == ""
    assert scene.folder.commands.is_file()
    writer.discard()


class Away:
    """A store that cannot be opened for the first calls."""

    def __init__(self, refusals: int, store: MemoryStore) -> None:
        self.refusals = refusals
        self.store = store

    def __call__(self, uri: str, experiment: str) -> Store:
        if self.refusals:
            self.refusals -= 1
            raise UnreachableError("no answer")
        return self.store


def inbox(*commands: object) -> Inbox:
    filled = Inbox()
    for command in commands:
        filled.put(command)  # type: ignore[arg-type]
    return filled


def test_a_closing_sweep_waits_for_mlflow_and_then_gives_up(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    commands = inbox(scene.sweep(give_up_s=0.5), scene.trial(), Close("finished"))
    scene.metrics(range(3))
    assert not Service(scene.folder, commands, Away(99, MemoryStore())).run()
    assert read_notice(scene.folder.tracking) == Notice(os.getpid(), False, 3, "no answer")
    assert "no answer" in capsys.readouterr().out


def test_a_closing_sweep_is_delivered_when_mlflow_comes_back_in_time(scene: Scene, store: MemoryStore) -> None:
    commands = inbox(scene.sweep(give_up_s=30.0), scene.trial(), TrialEnded("tsl-a", "finished"), Close("finished"))
    assert Service(scene.folder, commands, Away(1, store)).run()
    assert read_notice(scene.folder.tracking) == Notice(os.getpid(), True, 0, "")
    assert {run.status for run in store.runs.values()} == {"FINISHED"}


def test_a_full_disk_is_waited_for_like_an_outage(
    scene: Scene, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([OSError(28, "No space left on device")])

    def save(path: Path, value: object) -> None:
        for error in failures:
            raise error
        write_json(path, value)

    monkeypatch.setattr("jack_ray.upload.record.write_json", save)
    commands = inbox(scene.sweep(give_up_s=30.0), scene.trial(), TrialEnded("tsl-a", "finished"), Close("finished"))
    assert Service(scene.folder, commands, Away(0, store)).run()


def test_deliveries_are_as_rare_as_their_computing_is_long(scene: Scene, store: MemoryStore) -> None:
    service = Service(scene.folder, inbox(scene.sweep(flush_s=0.01)), Away(0, store))
    service.inbox.take(service.told, 0.1)
    assert service._wait_s() == 0.01
    scene.trial()
    metrics = store.log_metrics

    def slow(run_id: str, points: object) -> None:
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        metrics(run_id, points)  # type: ignore[arg-type]

    store.log_metrics = slow  # type: ignore[method-assign]
    service.told.take(scene.trial())
    scene.metrics(range(3))
    service._deliver()
    assert 2.0 <= service._wait_s() <= 30.0


def test_a_service_whose_driver_is_gone_leaves_no_run_that_counts_as_running(scene: Scene, store: MemoryStore) -> None:
    commands = inbox(scene.sweep(flush_s=0.01), scene.trial())
    service = Service(scene.folder, commands, Away(0, store))
    service.inbox = commands
    scene.metrics(range(3))
    service._driver = -1
    service.inbox.take(service.told, 0.1)
    service._deliver()
    assert not service.run()
    assert {run.status for run in store.runs.values()} == {"KILLED"}


def test_a_late_delivery_needs_a_folder_that_was_tracked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "holds no sweep that was tracked" in capsys.readouterr().err


def test_a_late_delivery_leaves_a_running_sweep_alone(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.sweep()
    scene.folder.commands.write_text(encode(scene.sweep()))
    with scene.folder.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main([str(scene.folder.path)]) == 1
    assert "is running; it delivers its numbers itself" in capsys.readouterr().err


def test_a_late_delivery_to_a_wrong_address_is_refused(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.sweep()
    scene.folder.commands.write_text(encode(scene.sweep()))
    assert main([str(scene.folder.path), "--uri", "mlflow.db"]) == 1
    assert "expected http://host:port or sqlite:///file.db" in capsys.readouterr().err


def test_the_parent_run_and_the_notice_do_not_overwrite_each_other(tmp_path: Path) -> None:
    path = tmp_path / "tracking.json"
    remember_parent_run(path, "a", "run-a", "1")
    write_notice(path, Notice(1, True, 0))
    remember_parent_run(path, "b", "run-b", "2")
    assert (parent_run(path, "a"), parent_run(path, "b"), parent_run(path, "c")) == ("run-a", "run-b", None)
    assert (experiment(path, "a"), experiment(path, "b"), experiment(path, "c")) == ("1", "2", None)
    assert read_notice(path) == Notice(1, True, 0)
    path.write_text("[")
    assert parent_run(path, "a") is None
    assert experiment(path, "a") is None


def test_a_damaged_record_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "tracking.json"
    path.write_text('[{"uri": "a", "sweep": "s", "nonsense": 1}]')
    assert load_record(path, "a", "s") == Record("a", "s")


def test_the_number_of_a_sample_stays_the_same_however_often_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "system.jsonl"
    lines = [json.dumps({"time": 5.0, "values": {"system/cpu": float(number)}}) for number in range(3)]
    path.write_text("\n".join([lines[0], "half{", lines[1], lines[2]]))
    points, offset, number = read_system(path, 0, 0)
    assert [(point.step, point.value) for point in points] == [(0, 0.0), (2, 1.0)]
    with path.open("a") as opened:
        opened.write("\n")
    points, _, number = read_system(path, offset, number)
    assert [(point.step, point.value) for point in points] == [(3, 2.0)]
    assert number == 4
    assert read_system(tmp_path / "missing", 0, 0) == ([], 0, 0)
