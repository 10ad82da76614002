"""`python -m jack_ray.serve` as a whole: trained models, MLflow, Ray, HTTP."""

import contextlib
import json
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.serving_faults import WORDS, attack
from benchmarks.serving_scene import Answer, Scene, Server, prepare, promote, serving, videos
from jack_ray.apply.run import run
from jack_ray.serve import HELP, main

pytestmark = [pytest.mark.rank, pytest.mark.ray, pytest.mark.mlflow, pytest.mark.filterwarnings("ignore")]

REQUESTS, CLIENTS, EVERY = 200, 6, 50
MOST_MORE_MB = 60


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, jittor_home: Path) -> Scene:
    return prepare(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def server(scene: Scene) -> Iterator[Server]:
    with serving(scene, [*WORDS, "replicas=2", "threads=1", f"inputs={scene.folder / 'data'}"]) as made:
        yield made


def test_two_hundred_requests_among_faults_are_all_answered_and_rightly(server: Server, scene: Scene) -> None:
    tally = attack(server, scene, REQUESTS, CLIENTS, EVERY)
    assert (tally.counts["lost"], tally.counts["wrong"]) == (0, 0), tally.problems
    assert tally.counts["replicas killed"] >= 1
    assert tally.counts["switches"] >= 1
    assert tally.counts["right"] + tally.counts["refused as it must be"] + tally.counts["left"] == REQUESTS
    assert max(tally.memory_mb) - tally.memory_mb[0] < MOST_MORE_MB


def test_a_path_and_an_upload_of_the_same_file_have_the_same_answer(server: Server, scene: Scene) -> None:
    video = videos(scene.folder)[0]
    uploaded = server.predict(video.body()).body
    connection_words = {"Content-Type": "application/json"}
    named = server.post(json.dumps({"path": f"features/test/rgb/{video.name}.npy"}).encode(), connection_words).body
    assert {key: named[key] for key in ("label", "probabilities", "segments", "scores")} == {
        key: uploaded[key] for key in ("label", "probabilities", "segments", "scores")
    }


def test_nothing_of_a_server_listens_beyond_this_machine(server: Server) -> None:
    below = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
    listening = [
        (one.name(), connection.laddr.ip)
        for one in below
        for connection in one.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 5
    assert [one for one in listening if one[1].removeprefix("::ffff:") not in ("127.0.0.1", "::1")] == []


def test_ctrl_c_answers_what_is_in_flight_and_leaves_no_process(server: Server, scene: Scene) -> None:
    body = videos(scene.folder)[0].body()
    answers: list[Answer] = []
    below = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]

    def ask() -> None:
        with contextlib.suppress(OSError):  # came when the server had ended
            answers.append(server.predict(body))

    asking = [threading.Thread(target=ask) for _ in range(40)]
    for one in asking:
        one.start()
    answered, in_flight = 0, 0
    while not (answered and in_flight > 1):
        assert len(answers) < len(asking)
        answered = len(answers)  # looked at first: none of these is in flight
        in_flight = int(re.search(r"^jack_ray_in_flight (\d+)", server.get("/metrics"), re.MULTILINE)[1])  # type: ignore[index]
    assert server.stop() == 0
    for one in asking:
        one.join()
    refused = [answer.body for answer in answers if answer.status != 200]
    assert len(answers) - len(refused) >= answered + in_flight
    assert all("the server is ending" in str(body) for body in refused)  # what came later
    assert [one for one in below if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []


def test_replicas_on_another_machine_get_checkpoints_and_uploads_in_pieces(scene: Scene) -> None:
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    try:
        cluster.add_node(num_cpus=2, object_store_memory=80 << 20)
        video = videos(scene.folder)[0]
        promote(scene, "1")
        with serving(scene, ["cluster=running", f"cluster.address={cluster.address}", "poll_s=0.5"]) as server:
            first = server.predict(video.body())
            promote(scene, "2")
            server.wait_for("2")
            second = server.predict(video.body())
            assert (first.status, first.body["version"], second.body["version"]) == (200, "1", "2")
            assert first.body["probabilities"] != second.body["probabilities"]
            assert server.stop(signal.SIGTERM) == 0
    finally:
        cluster.shutdown()


def test_a_model_that_is_not_there_a_taken_port_and_no_mlflow_are_told_in_one_message(
    scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scene.folder)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    for words, told in (
        (["model=models:/bench@nobody"], "nobody"),
        (["model=models:/none@champion"], "none"),
        (["model=models:/bench/99"], "99"),
        (["model=models:/bench@champion", f"port={port}"], f"host=127.0.0.1 port={port}: Address already in use"),
        (["model=models:/bench@champion", "host=203.0.113.7"], "Cannot assign requested address"),
        (["model=models:/bench@champion", "tracking.uri=sqlite:///none.db"], "There is no MLflow store at"),
        (["model=models:/bench@champion", "tracking.uri=http://127.0.0.1:9"], "MLflow at http://127.0.0.1:9: "),
        (["model=models:/bench@champion", "token_file=none"], "token_file="),
    ):
        assert run(main, HELP, words) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: "), err
        assert told in err
        assert "Traceback" not in err
    taken.close()
