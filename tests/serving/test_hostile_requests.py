"""Requests that nobody should send: each gets its status, and the next one is answered."""

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jack_ray.serving import body, http
from jack_ray.serving.upload import Pace
from tests.serving import hostile
from tests.serving.doors import BOUNDARY, Door, form, opened, post, read_all, trial_of

pytestmark = pytest.mark.long

GOOD = {"file": ("walk.npy", hostile.array(hostile.gait()))}
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n".encode()
PART = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'.encode()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("requests")
    inputs = folder / "inputs"
    (inputs / "sub").mkdir(parents=True)
    (inputs / "walk.npy").write_bytes(GOOD["file"][1])
    (inputs / "note.txt").write_text("nothing to see")
    (inputs / "out").symlink_to("/etc")
    (inputs / "passwd").symlink_to("/etc/passwd")
    (inputs / "ring").symlink_to(inputs / "ring")
    os.mkfifo(inputs / "pipe.npy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "HEAD_S", 0.6)
        patch.setattr(body, "LINGER_S", 0.2)
        changes = {"inputs": inputs.resolve(), "max_bytes": 1 << 20, "pace": Pace(0.6, 3.0)}
        with opened(trial_of("model=gait_smoke"), folder, patch, **changes) as made:
            assert made.send(GOOD).status == 200
            yield made


@pytest.fixture(autouse=True)
def _goes_on(door: Door) -> Iterator[None]:
    pid, seen = door.computing_pid, door.send(GOOD).json["seen"]
    yield
    assert door.send(GOOD).json["seen"] == seen
    assert door.computing_pid == pid
    assert door.state.in_flight == 0
    assert list(door.state.folder.iterdir()) == []


def length(sent: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(sent)


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer.split()[1])


WHOLE = form(GOOD)
BODIES: dict[str, tuple[bytes, int]] = {
    "no boundary": (b"Content-Type: multipart/form-data\r\n", 400),
    "an endless boundary": (b"Content-Type: multipart/form-data; boundary=" + b"a" * 5000 + b"\r\n", 400),
    "a boundary in disorder": (b"Content-Type: multipart/form-data; boundary*=a; boundary*0=b\r\n", 400),
    "another type": (b"Content-Type: application/octet-stream\r\n", 400),
    "no type": (b"", 400),
    "another boundary": (b"Content-Type: multipart/form-data; boundary=other\r\n", 400),
    "a type of two": (b"Content-Type: multipart/mixed; boundary=" + BOUNDARY.encode() + b"\r\n", 400),
}
FORMS: dict[str, tuple[bytes, int]] = {
    "no field": (f"--{BOUNDARY}--\r\n".encode(), 400),
    "nothing at all": (b"", 400),
    "an end before the end": (WHOLE[:-20], 400),
    "a field twice": (WHOLE[: -len(f"--{BOUNDARY}--\r\n")] + WHOLE, 400),
    "a field of another name": (form({"upload": GOOD["file"]}), 400),
    "a field without a name": (WHOLE.replace(b'name="file"; ', b""), 400),
    "a part without a head": (f"--{BOUNDARY}\r\n\r\nhello\r\n--{BOUNDARY}--\r\n".encode(), 400),
    "a part of many headers": (PART + b"X: y\r\n" * 1000 + b"\r\n\r\n", 400),
    "a part of an endless header": (PART + b"X: " + b"y" * 100000 + b"\r\n\r\n", 400),
    "a thousand fields": (b"".join(form({f"f{n}": ("", b"x")})[:-22] for n in range(1000)), 400),
    "much behind the end": (WHOLE + b"x" * 200000, 413),
    "more than is taken": (PART + b"\r\n" + b"\x93NUMPY\x01\x00" + bytes(1100000), 413),
    "a file of an encoding that is none": (PART.replace(b'filename="a"', b"filename*=undefined''a") + b"\r\n", 400),
    "a file of an encoding for hosts": (PART.replace(b'filename="a"', b"filename*=idna''a") + b"\r\n", 400),
    "a file of an encoding with a zero byte": (PART.replace(b'filename="a"', b"filename*=\"a\0b''x\"") + b"\r\n", 400),
    "a field whose name comes in disorder": (PART.replace(b'name="file"', b"name*=x; name*0=y") + b"\r\n", 400),
    "an empty file": (form({"file": ("walk.npy", b"")}), 422),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_another_type_is_refused(door: Door, name: str) -> None:
    head, expected = BODIES[name]
    assert status(door.raw(post(head + length(WHOLE), WHOLE))) == expected


@pytest.mark.parametrize("name", FORMS)
def test_a_broken_form_is_refused(door: Door, name: str) -> None:
    sent, expected = FORMS[name]
    answer = door.raw(post(FORM + length(sent), sent))
    assert status(answer) == expected, answer
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])["error"]) == {"what", "expected", "remedy"}


def test_a_length_that_is_too_large_is_refused_before_anything_is_read(door: Door) -> None:
    began = time.monotonic()
    assert status(door.raw(post(FORM + b"Expect: 100-continue\r\nContent-Length: 99999999999\r\n"))) == 413
    assert time.monotonic() - began < 1.0


def test_a_length_that_is_larger_than_the_body_is_waited_for_only_so_long(door: Door) -> None:
    answer = door.raw(post(FORM + b"Content-Length: %d\r\n" % (len(WHOLE) + 5), WHOLE[:-4]))
    assert status(answer) == 408
    assert b"nothing came for 0.6 s" in answer


def test_a_length_that_is_smaller_than_the_body_ends_it_early(door: Door) -> None:
    assert status(door.raw(post(FORM + b"Content-Length: 300\r\n", WHOLE))) == 400


def test_a_body_that_comes_a_little_at_a_time_is_given_up(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as client:
        client.sendall(post(FORM + b"Content-Length: 100000\r\n", PART + b"\r\n\x93NUMPY"))
        began = time.monotonic()
        while time.monotonic() - began < 8:
            try:
                client.sendall(b"x")
            except OSError:
                break
            client.setblocking(False)
            try:
                answer = client.recv(4096)
                break
            except BlockingIOError:
                client.setblocking(True)
                time.sleep(0.2)
        assert status(answer) == 408
        assert b"not done in 3 s" in answer


def test_a_chunked_body_without_an_end_is_refused_at_the_limit(door: Door) -> None:
    chunk = b"%x\r\n%s\r\n" % (1 << 16, bytes(1 << 16))
    first = PART + b"\r\n" + GOOD["file"][1]
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as client:
        client.sendall(post(FORM + b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n" % (len(first), first)))
        try:
            for _ in range(100):
                client.sendall(chunk)
        except OSError:
            pass
        assert status(read_all(client)) == 413


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400),
        (post(b"Content-Length: 5\r\nContent-Length: 6\r\n"), 400),
        (post(b"Content-Length: -5\r\n"), 400),
        (post(b"Content-Length: " + b"9" * 5000 + b"\r\n"), 400),
        (post(b"Transfer-Encoding: chunked, chunked\r\n"), 400),
        (post(FORM + b"Transfer-Encoding: chunked\r\n", b"zz\r\nx"), 400),
        (post(b"X: " + b"y" * 60000 + b"\r\n"), 400),
        (post(b"".join(b"X-%d: y\r\n" % n for n in range(5000))), 400),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 401),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1.evil.example:8000\r\n\r\n", 400),
        (post(b"").replace(b"POST", b"DELETE"), 405),
        (b"GET /page/../../door.py HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /docs/files/..%2f..%2f__init__.py HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /docs/files//etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    ],
    ids=range(18),
)  # fmt: skip
def test_a_broken_head_is_refused(door: Door, data: bytes, expected: int) -> None:
    answer = door.raw(data)
    assert status(answer) == expected, answer[:300]
    assert b"root:" not in answer


@pytest.mark.parametrize("start", [b"", b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_a_head_that_does_not_come_is_waited_for_only_so_long(door: Door, start: bytes) -> None:
    began = time.monotonic()
    assert status(door.raw(start)) == 408
    assert time.monotonic() - began < 3.0


def test_a_second_head_that_does_not_come_is_waited_for_only_so_long(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=5) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(65536, socket.MSG_PEEK).startswith(b"HTTP/1.1 200")
        while not client.recv(65536).endswith(b"}"):
            pass
        client.sendall(b"GET /health HTT")
        time.sleep(0.1)
        assert status(read_all(client)) == 408


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
        post(b"Content-Length: 1000\r\n").replace(b"Bearer ", b"Bearer x"),
    ],
)
def test_the_rest_of_a_body_that_nobody_reads_is_waited_for_only_so_long(door: Door, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=5) as client:
        client.sendall(head)
        while not client.recv(65536).endswith(b"}"):
            pass
        client.sendall(b"x")
        time.sleep(0.1)
        client.sendall(b"x")
        assert status(read_all(client)) == 408


def test_two_hundred_slow_clients_keep_nobody_waiting(door: Door) -> None:
    slow = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(200)]
    for client in slow:
        client.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
    began = time.monotonic()
    assert door.send(GOOD).status == 200
    assert time.monotonic() - began < 2.0
    for client in slow:
        client.close()


@pytest.mark.parametrize(
    "text", ["{", "[]", '"a"', "{}", '{"path": 5}', '{"path": "walk.npy", "more": 1}', "[" * 60000]
)
def test_json_that_is_no_question_is_refused(door: Door, text: str) -> None:
    assert door.ask("POST", "/v1/predict", text, Content_Type="application/json").status == 400


def test_json_without_an_end_is_refused(door: Door) -> None:
    assert door.ask("POST", "/v1/predict", " " * 100000, Content_Type="application/json").status == 413


PATHS = {
    "a way up": "../walk.npy",
    "an absolute path": "/etc/passwd",
    "a zero byte": "walk.npy\0",
    "a long name": "a" * 10000,
    "a deep path": "a/" * 5000,
    "a link out": "passwd",
    "a folder that leads out": "out/passwd",
    "a ring": "ring",
    "a folder": "sub",
    "the folder itself": ".",
    "nothing": "",
    "a pipe": "pipe.npy",
    "no such file": "none.npy",
    "an address": "http://127.0.0.1:9/walk.npy",
    "a device": "/dev/zero",
    "a way there and back": "out/../../etc/passwd",
    "half a letter": "\udcff",
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path_that_leads_elsewhere_is_no_path(door: Door, name: str) -> None:
    told = door.name(PATHS[name])
    assert told.status == 404
    assert told.what.endswith("is no file below the folder of inputs")
    assert str(door.state.inputs) not in told.text


def test_a_file_of_another_kind_below_the_folder_is_refused(door: Door) -> None:
    assert door.name("note.txt").status == 415


def test_a_file_below_the_folder_is_answered(door: Door) -> None:
    told = door.name("walk.npy")
    assert told.status == 200
    assert told.json["input"] == "walk.npy"
    assert door.name(str(Path("sub") / ".." / "walk.npy")).status == 200
