import json
import time
from pathlib import Path

import pytest

from jack_ray.contract.events import append, new, read_from


def test_what_is_appended_is_read_back_from_where_the_reader_stood(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, new("started", 1, host="here"))
    first, offset = read_from(path, 0)
    append(path, new("metrics", 1, 3, {"train/total": 0.5}))
    second, end = read_from(path, offset)
    assert [(event.kind, event.about) for event in first] == [("started", {"host": "here"})]
    assert [(event.kind, event.step, event.values) for event in second] == [("metrics", 3, {"train/total": 0.5})]
    assert read_from(path, end) == ([], end)


def test_a_missing_file_has_no_events_yet(tmp_path: Path) -> None:
    assert read_from(tmp_path / "events.jsonl", 0) == ([], 0)


def test_a_torn_last_line_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, new("phase", 1, name="training"))
    whole = path.read_bytes()
    line = json.dumps(new("finished", 1, 9).__dict__).encode() + b"\n"
    path.write_bytes(whole + line[:20])
    found, offset = read_from(path, 0)
    assert [event.kind for event in found] == ["phase"]
    path.write_bytes(whole + line)
    assert [event.kind for event in read_from(path, offset)[0]] == ["finished"]


@pytest.mark.parametrize("damage", [b'{"kind": "met\n', b"[1]\n", b'{"kind": "x"}\n', b"\xff\xfe\n", b"\n"])
def test_a_line_that_is_no_event_is_passed_over(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "events.jsonl"
    append(path, new("phase", 1, name="training"))
    path.write_bytes(path.read_bytes() + damage)
    append(path, new("finished", 1, 9))
    assert [event.kind for event in read_from(path, 0)[0]] == ["phase", "finished"]


def test_nan_never_reaches_the_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        append(tmp_path / "events.jsonl", new("metrics", 1, 1, {"train/total": float("nan")}))
    assert not (tmp_path / "events.jsonl").exists()


def test_an_event_is_of_this_moment() -> None:
    assert abs(new("phase", 1).time - time.time()) < 1.0
