"""Files that nobody should send are refused by what is wrong with them; the server goes on in the same processes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jack_ray.serving.watch import memory_of
from tests.serving import hostile
from tests.serving.doors import Door, opened, trial_of

pytestmark = pytest.mark.long

MOST_MORE_BYTES = 300 << 20


@pytest.fixture(scope="module")
def monkeypatch_of_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def video_door(tmp_path_factory: pytest.TempPathFactory, monkeypatch_of_module: pytest.MonkeyPatch) -> Iterator[Door]:
    trial = trial_of("model=vaanet_smoke", "data.missing_sound=silence")
    with opened(trial, tmp_path_factory.mktemp("videos"), monkeypatch_of_module) as door:
        assert door.send({"file": ("clip.mp4", hostile.video())}).status == 200
        yield door


@pytest.fixture(scope="module")
def gait_door(tmp_path_factory: pytest.TempPathFactory, monkeypatch_of_module: pytest.MonkeyPatch) -> Iterator[Door]:
    with opened(trial_of("model=gait_smoke"), tmp_path_factory.mktemp("gaits"), monkeypatch_of_module) as door:
        assert door.send({"file": ("walk.npy", hostile.array(hostile.gait()))}).status == 200
        yield door


def hold(door: Door, case: hostile.Case, good: bytes) -> None:
    """Send a bad file and a good one. The first is refused, the second answered as before, by the same processes."""
    make, status = case
    before = door.send({"file": ("good", good)}).json["seen"]
    pid = door.computing_pid
    memory = memory_of(pid) + memory_of(os.getpid())
    bad = make()
    told = door.send({"file": ("bad.mp4", bad)})
    assert told.status == status, told.text
    if status == 200:  # what is wrong with it leads nowhere
        assert told.json["seen"] == before
    else:
        assert set(told.json["error"]) == {"what", "expected", "remedy"}
        assert str(door.state.folder) not in told.text
    assert door.send({"file": ("good", good)}).json["seen"] == before
    assert door.computing_pid == pid
    assert memory_of(pid) + memory_of(os.getpid()) - memory < MOST_MORE_BYTES + 2 * len(bad)
    assert list(door.state.folder.iterdir()) == []
    assert not hostile.CANARY.exists()


@pytest.mark.parametrize("name", hostile.VIDEOS)
def test_a_hostile_video_is_refused_and_harms_nothing(video_door: Door, name: str) -> None:
    hold(video_door, hostile.VIDEOS[name], hostile.video())


@pytest.mark.parametrize("name", hostile.GAITS)
def test_a_hostile_gait_is_refused_and_harms_nothing(gait_door: Door, name: str) -> None:
    hold(gait_door, hostile.GAITS[name], hostile.array(hostile.gait()))


@pytest.mark.parametrize("name", hostile.NAMES)
def test_what_a_client_calls_a_file_is_only_shown(gait_door: Door, name: str) -> None:
    called, expected = hostile.NAMES[name]
    told = gait_door.send({"file": (called, hostile.array(hostile.gait()))})
    assert told.status == 200, told.text
    assert told.json["input"] == expected
    assert not Path("/tmp/jack_ray-escaped.npy").exists()
    assert list(gait_door.state.folder.iterdir()) == []


def test_a_name_of_ten_thousand_letters_is_refused(gait_door: Door) -> None:
    told = gait_door.send({"file": ("a" * 10000 + ".npy", hostile.array(hostile.gait()))})
    assert told.status == 400
    assert "not a form that can be read" in told.what
