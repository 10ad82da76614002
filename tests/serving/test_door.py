"""What the door answers, with a real process behind it that reads files."""

import io
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from jack_ray.serving import door as door_module
from jack_ray.serving.access import Keeper
from jack_ray.serving.answering import Limits
from tests.serving import hostile
from tests.serving.doors import BOUNDARY, Door, form, opened, post, trial_of

pytestmark = pytest.mark.long

GOOD = {"file": ("walk.npy", hostile.array(hostile.gait()))}
OPEN = ("/", "/health", "/docs", "/openapi.json", "/docs/files/swagger-ui.css", "/page/app.js")


def ending_in(mark: bytes) -> dict[str, tuple[str, bytes]]:
    """A gait after which the reading process misbehaves."""
    return {"file": ("walk.npy", GOOD["file"][1] + mark)}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    page = tmp_path_factory.mktemp("page")
    (page / "index.html").write_text("<p>the page")
    (page / "app.js").write_text("// script")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door_module, "PAGE", page)
        limits = Limits(4, 3.0, 600 << 20)
        with opened(trial_of("model=gait_smoke"), tmp_path_factory.mktemp("door"), patch, limits=limits) as made:
            yield made


def test_everything_but_the_pages_wants_the_token(door: Door) -> None:
    for path in OPEN:
        assert door.ask("GET", path, token=None).status == 200, path
    for path in ("/metrics", "/v1/model", "/v1/none", "/page"):
        for token in (None, "", "a-token-for-tests-alone2", "a-token"):
            told = door.ask("GET", path, token=token)
            assert (told.status, told.headers.get("www-authenticate")) == (401, "Bearer"), path
    assert door.ask("GET", "/metrics").status == 200
    assert door.ask("GET", "/docs/../metrics", token=None).status == 404


def test_an_upload_without_a_token_is_refused_before_it_is_kept(door: Door) -> None:
    before = counts(door)["upload_bytes_total"]
    body = form(GOOD)
    head = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n".encode()
    answer = door.raw(post(head, body).replace(b"Bearer ", b"Bearer x"))
    assert b" 401 " in answer.splitlines()[0]
    assert counts(door)["upload_bytes_total"] == before


def test_whether_it_answers_is_told_to_everybody_and_the_model_to_who_may_ask(door: Door) -> None:
    assert door.ask("GET", "/health", token=None).json == {
        "status": "ok", "model": "ours", "version": "1", "replicas": 1
    }  # fmt: skip
    told = door.ask("GET", "/v1/model").json
    assert told["accepts"] == [".bvh", ".npy"]
    assert (told["name"], told["alias"], told["version"], told["method"]) == ("ours", "champion", "1", "gait")
    assert (told["input"], told["paths"], told["max_mb"], told["window_s"]) == ("gait", False, 67.108864, 10.0)
    assert told["labels"] == ["joy", "sadness"]


def test_the_page_of_the_interface_needs_no_other_server(door: Door) -> None:
    page = door.ask("GET", "/docs").text
    links = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert [link for link in links if not link.startswith("/docs/files/")] == []
    for link in links:
        assert door.ask("GET", link, token=None).status == 200, link
    assert "script-src 'self' 'unsafe-inline'" in door.ask("GET", "/docs").headers["content-security-policy"]
    assert "script-src" not in door.ask("GET", "/").headers["content-security-policy"]
    schema = door.ask("GET", "/openapi.json").json
    assert schema["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    question = schema["paths"]["/v1/predict"]["post"]
    assert question["security"] == [{"token": []}]
    assert list(question["requestBody"]["content"]) == ["multipart/form-data"]
    assert {"400", "401", "404", "408", "413", "415", "422", "429", "503"} <= set(question["responses"])


def test_the_start_page_is_what_lies_in_the_folder_of_the_page(door: Door) -> None:
    assert door.ask("GET", "/").text == "<p>the page"
    assert door.ask("GET", "/page/app.js").text == "// script"


def test_requests_are_counted_by_what_became_of_them(door: Door) -> None:
    door.send(GOOD)
    before = counts(door)
    door.send(GOOD)
    door.send({"file": ("x.npy", b"PK\x03\x04")})
    after = counts(door)
    assert after['requests_total{outcome="200"}'] == before['requests_total{outcome="200"}'] + 1
    assert after['requests_total{outcome="415"}'] == before.get('requests_total{outcome="415"}', 0) + 1
    assert after['answers_total{version="1"}'] == before['answers_total{version="1"}'] + 1
    assert after["request_seconds_count"] == before["request_seconds_count"] + 2
    assert after["batch_size_count"] == before["batch_size_count"] + 1
    assert after["upload_bytes_total"] > before["upload_bytes_total"] + len(GOOD["file"][1])
    assert (after["in_flight"], after["replicas"], after['model{model="ours",version="1"}']) == (0, 1, 1)


def counts(door: Door) -> dict[str, float]:
    lines = [line for line in door.ask("GET", "/metrics").text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0].removeprefix("jack_ray_"): float(line.rpartition(" ")[2]) for line in lines}


def test_a_client_that_leaves_is_counted_and_leaves_nothing(door: Door) -> None:
    before = counts(door).get('requests_total{outcome="dropped"}', 0)
    body = form(ending_in(b"SLEEP NOW"))
    head = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n".encode()
    for share in (2, 1):
        with socket.create_connection(("127.0.0.1", door.port)) as client:
            client.sendall(post(head, body[: len(body) // share]))
            time.sleep(0.2)
    wait_until(lambda: counts(door)['requests_total{outcome="dropped"}'] == before + 2)
    wait_until(lambda: list(door.state.folder.iterdir()) == [])


def wait_until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        (b"DIE NOW", "the process that computes ended over it"),
        (b"SLEEP NOW", "takes longer than 3 s to compute"),
        (b"EAT MEMORY", "needs more than 0.629146 GB of memory"),
    ],
)
def test_a_file_that_breaks_the_process_is_refused_and_those_beside_it_are_answered(
    door: Door, mark: bytes, told: str
) -> None:
    seen = door.send(GOOD).json["seen"]
    others: list[str] = []
    asking = [threading.Thread(target=lambda: others.append(door.send(GOOD).json["seen"])) for _ in range(3)]
    for one in asking:
        one.start()
    answer = door.send(ending_in(mark))
    for one in asking:
        one.join()
    assert answer.status == 422
    assert told in answer.what
    assert others == [seen] * 3
    assert door.send(GOOD).json["seen"] == seen


def test_too_many_requests_at_once_are_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(1, 1.0, 1 << 40)
    with opened(trial_of("model=gait_smoke"), tmp_path, monkeypatch, max_waiting=2, limits=limits) as door:
        assert door.send(GOOD).status == 200
        sleepers = [threading.Thread(target=door.send, args=(ending_in(b"SLEEP NOW"),)) for _ in range(2)]
        for one in sleepers:
            one.start()
        wait_until(lambda: door.state.in_flight == 2)
        told = door.send(GOOD)
        assert (told.status, told.headers["retry-after"]) == (429, "2")
        assert "2 requests are being answered already" in told.what
        for one in sleepers:
            one.join()
        assert door.send(GOOD).status == 200


def test_a_refused_upload_that_still_comes_takes_no_place(door: Door) -> None:
    before = counts(door).get('requests_total{outcome="413"}', 0)
    with socket.create_connection(("127.0.0.1", door.port)) as client:
        client.sendall(post(f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {1 << 40}\r\n".encode()))
        wait_until(lambda: counts(door).get('requests_total{outcome="413"}', 0) == before + 1)
        assert door.state.in_flight == 0
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):  # the answer itself waits for the client
            client.recv(1)


def test_an_upload_that_cannot_be_kept_is_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(trial_of("model=gait_smoke"), tmp_path, monkeypatch) as door:
        door.state.folder.rmdir()
        told = door.send(GOOD)
        assert (told.status, told.headers["retry-after"]) == (503, "60")
        assert told.what == "the server cannot keep the upload (No such file or directory)"


def test_a_server_that_starts_or_ends_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(trial_of("model=gait_smoke"), tmp_path, monkeypatch) as door:
        door.state.replicas, door.state.version = 0, ""
        assert (door.ask("GET", "/health").status, door.ask("GET", "/health").json["status"]) == (503, "starting")
        told = door.send(GOOD)
        assert (told.status, told.what, told.headers["retry-after"]) == (503, "the model is being loaded", "10")
        door.state.replicas, door.state.version, door.state.is_ending = 1, "1", True
        assert (door.ask("GET", "/health").status, door.ask("GET", "/health").json["status"]) == (503, "ending")
        assert door.send(GOOD).what == "the server is ending"


def test_without_a_token_everybody_may_ask_under_a_name_of_this_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(trial_of("model=gait_smoke"), tmp_path, monkeypatch, keeper=Keeper(None)) as door:
        assert door.ask("GET", "/v1/model", token=None).status == 200
        assert door.ask("GET", "/v1/model", token=None, Host="evil.example").status == 400
        told = door.ask("POST", "/v1/predict", b"", token=None, Origin="https://evil.example")
        assert (told.status, told.what) == (400, "a request from a page of another server")
        assert door.ask("GET", "/v1/model", token=None, Origin=f"http://localhost:{door.port}").status == 200


def test_features_come_in_three_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_data: Path) -> None:
    rgb = next((demo_data / "features" / "test" / "rgb").glob("*.npy"))
    mel = rgb.parents[1] / "logmfcc" / rgb.name
    fields = {"rgb": ("../a.npy", rgb.read_bytes()), "mel": ("b.npy", mel.read_bytes()), "fps": ("", b"25")}
    with opened(trial_of("model=tsl_small"), tmp_path, monkeypatch, inputs=demo_data.resolve()) as door:
        told = door.send(fields)
        assert (told.status, told.json["input"]) == (200, "a.npy")
        assert door.name(f"features/test/rgb/{rgb.name}").json["seen"] == told.json["seen"]
        for change, status in (
            ({"fps": ("", b"0")}, 400), ({"fps": ("", b"nan")}, 400), ({"fps": ("", b"9" * 100)}, 400),
            ({"mel": ("b.npy", rgb.read_bytes())}, 422), ({"rgb": ("a", b"PK\x03\x04")}, 415),
            ({"rgb": ("a", hostile.array(np.full((9, 1024), np.nan, np.float32)))}, 422),
        ):  # fmt: skip
            assert door.send({**fields, **change}).status == status, change.keys()
        assert door.send({name: fields[name] for name in ("rgb", "mel")}).what == "no field fps"
        assert json.loads(door.send(fields).text)["seen"] == told.json["seen"]


def test_a_form_is_taken_in_pieces_of_any_size(door: Door) -> None:
    body = form(GOOD)
    head = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nTransfer-Encoding: chunked\r\n".encode()
    for size in (1, 7, 1000):
        written = io.BytesIO()
        for start in range(0, len(body), size):
            piece = body[start : start + size]
            written.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        answer = door.raw(post(head, written.getvalue() + b"0\r\n\r\n"), 30.0)
        assert b" 200 " in answer.splitlines()[0], (size, answer)
