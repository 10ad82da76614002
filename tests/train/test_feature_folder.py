"""Files of features: whole or not there, never in the way, and never more than the bound."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from jack_ray.methods.shared.kept_features import Kept
from jack_ray.train.feature_folder import LEFT_S, Counts, FeatureFolder
from jack_ray.train.feature_store import FeatureStore

MANY = 10**9


def kept(number: float = 1.0, size: int = 1000) -> Kept:
    return Kept(np.full((2, size // 2), number, np.float32), 12.5 + number)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_features_come_back_bit_for_bit_in_another_process(tmp_path: Path) -> None:
    FeatureFolder(tmp_path, MANY, "net").keep("a", kept(0.1))
    other = FeatureFolder(tmp_path, MANY, "net")
    found = other.find("a")
    assert found is not None
    assert found.features.tobytes() == kept(0.1).features.tobytes()
    assert found.features.dtype == np.float32
    assert (found.features.shape, found.duration_s) == ((2, 500), 12.6)
    assert other.find("b") is None
    assert other.counts == Counts(found=1)


def test_another_backbone_has_other_files(tmp_path: Path) -> None:
    FeatureFolder(tmp_path, MANY, "net").keep("a", kept())
    assert FeatureFolder(tmp_path, MANY, "another net").find("a") is None


def test_features_travel_to_a_machine_that_has_another_disk(tmp_path: Path) -> None:
    store = FeatureStore(str(tmp_path / "store"))
    here, there = (FeatureFolder(tmp_path / name, MANY, "net", store=store) for name in ("here", "there"))
    assert here.find("a") is None
    here.keep("a", kept(0.1))
    found = there.find("a")
    assert found is not None
    assert found.features.tobytes() == kept(0.1).features.tobytes()
    assert there.counts == Counts(found=1, brought=1)
    assert there.path("a").read_bytes() == here.path("a").read_bytes()
    assert "1 read (1 of them from site.storage), 0 computed" in there.counts.told(tmp_path)
    assert store.problem == ""


def test_a_damaged_file_in_the_store_is_computed_again_and_replaced(tmp_path: Path) -> None:
    store = FeatureStore(str(tmp_path / "store"))
    FeatureFolder(tmp_path / "here", MANY, "net", store=store).keep("a", kept())
    (stored,) = files(tmp_path / "store")
    stored.write_bytes(stored.read_bytes()[:100])
    there = FeatureFolder(tmp_path / "there", MANY, "net", store=store)
    assert there.find("a") is None
    assert files(tmp_path / "there") == []
    there.keep("a", kept())
    assert there.counts == Counts(made=1, damaged=1)
    assert FeatureFolder(tmp_path / "third", MANY, "net", store=store).find("a") is not None


def test_a_store_that_fails_is_told_and_not_asked_again(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"no folder")
    store = FeatureStore(str(tmp_path / "store"))
    folder = FeatureFolder(tmp_path / "here", MANY, "net", store=store)
    folder.keep("a", kept())
    assert folder.find("a") is not None
    assert "site.storage=" in folder.problem
    (tmp_path / "store").unlink()
    folder.keep("b", kept())
    assert not (tmp_path / "store").exists()


def test_the_store_is_held_to_the_bound_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    store = FeatureStore(str(tmp_path / "store"))
    folder = FeatureFolder(tmp_path / "here", MANY, "net", store=store)
    stored = []
    for age, recipe in enumerate("abcde"):
        folder.keep(recipe, kept())
        stored.append(tmp_path / "store" / "features" / folder.path(recipe).relative_to(folder.folder))
        os.utime(stored[-1], (1e9 - age, 1e9 - age))
    size = stored[0].stat().st_size
    left, being_written = (stored[0].with_name(name) for name in (".left", ".being_written"))
    others = [tmp_path / "store" / "features" / "notes.txt", tmp_path / "store" / "trial.safetensors", being_written]
    for path in (*others, left):
        path.write_bytes(b"x" * size)
    os.utime(left, (time.time() - 2 * LEFT_S,) * 2)
    for _ in range(2):
        store.make_room(4 * size)
        assert files(tmp_path / "store") == sorted([*others, *stored[:3]])
    assert store.problem == ""


def test_making_room_in_a_store_that_fails_is_told() -> None:
    store = FeatureStore("nowhere://features")
    store.make_room(0)
    assert store.problem.startswith("site.storage=nowhere://features was not used for them: ")


def flip(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    "spoil",
    [flip, lambda content: content[:100], lambda content: b"", lambda content: b"\xff" * 200, lambda content: b"{}"],
    ids=["a flipped bit", "cut short", "empty", "an absurd length", "something else"],
)
def test_a_damaged_file_is_as_good_as_none_and_is_replaced(tmp_path: Path, spoil: "object") -> None:
    folder = FeatureFolder(tmp_path, MANY, "net")
    folder.keep("a", kept())
    path = folder.path("a")
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    assert folder.find("a") is None
    assert folder.counts.damaged == 1
    folder.keep("a", kept())
    assert folder.find("a") is not None
    assert "1 damaged ones were replaced" in folder.counts.told(tmp_path)


def test_a_file_under_a_foreign_name_is_not_believed(tmp_path: Path) -> None:
    folder = FeatureFolder(tmp_path, MANY, "net")
    folder.keep("a", kept())
    folder.path("b").parent.mkdir(exist_ok=True)
    folder.path("b").write_bytes(folder.path("a").read_bytes())
    assert folder.find("b") is None


def test_a_folder_that_cannot_be_written_to_is_told_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = FeatureFolder(tmp_path / "file", MANY, "net")
    folder.keep("a", kept())
    assert folder.find("a") is None
    assert folder.counts == Counts(made=1, failed=1, damaged=1)


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    folder = FeatureFolder(tmp_path, MANY, "net")
    now = time.time()
    for age, name in enumerate("abcd"):
        folder.keep(name, kept())
        os.utime(folder.path(name), (now - 10000 * (4 - age),) * 2)
    size = folder.path("a").stat().st_size
    folder.find("a")  # the oldest one is used now
    small = FeatureFolder(tmp_path, 3 * size, "net")
    small.make_room()
    assert [name for name in "abcd" if small.path(name).exists()] == ["a", "d"]
    assert small.counts.crowded == 0


def test_the_bound_is_kept_while_writing(tmp_path: Path) -> None:
    limit = 50_000
    folder = FeatureFolder(tmp_path, limit, "net")
    for number in range(60):
        folder.keep(str(number), kept(number))
        assert sum(path.stat().st_size for path in files(tmp_path)) <= limit + limit // 50 + 5000
    folder.make_room()
    assert 0.5 * limit < sum(path.stat().st_size for path in files(tmp_path)) <= limit
    assert folder.counts.crowded == 60 - len(files(tmp_path))
    assert "had to be deleted: type a larger site.features_gb" in folder.counts.told(tmp_path)


def test_only_one_of_the_ranks_makes_room(tmp_path: Path) -> None:
    folder = FeatureFolder(tmp_path, 10_000, "net", makes_room=False)
    for number in range(10):
        folder.keep(str(number), kept(number))
    folder.make_room()
    assert len(files(tmp_path)) == 10


def test_what_a_dead_process_was_writing_is_deleted_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    folder = FeatureFolder(tmp_path, MANY, "net")
    folder.keep("a", kept())
    path = folder.path("a")
    left, living = (path.with_name(f".{path.name}.{word}") for word in ("left", "living"))
    left.touch()
    living.touch()
    os.utime(left, (time.time() - 2 * LEFT_S,) * 2)
    folder.make_room()
    assert files(tmp_path) == sorted([living, folder.path("a")])


def test_what_is_not_ours_is_never_deleted(tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("model.safetensors", "ab/model.safetensors", "ab/.hidden", "ab/x/a.bin")]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"-" * 10_000)
        os.utime(path, (1, 1))
    folder = FeatureFolder(tmp_path, 5_000, "net")
    folder.keep("a", kept())
    folder.make_room()
    assert all(path.exists() for path in others)


def test_several_writers_and_readers_never_see_a_part_of_a_file(tmp_path: Path) -> None:
    wrong: list[str] = []

    def work() -> None:
        folder = FeatureFolder(tmp_path, 30_000, "net")
        for turn in range(40):
            name = str(turn % 5)
            found = folder.find(name)
            if found is None:
                folder.keep(name, kept(turn % 5))
            elif not (found.features == turn % 5).all():
                wrong.append(name)
            if turn % 7 == 0:
                folder.make_room()
        if folder.counts.damaged or folder.counts.failed:
            wrong.append(str(folder.counts))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
