"""Checkpoints that pass between machines without a common disk; the store here is a folder."""

from pathlib import Path

import pytest

from jack_ray.contract.errors import PlaceError
from jack_ray.contract.paths import TrialFolder
from jack_ray.spawn.mirror import Mirror, Piece, apply
from jack_ray.spawn.storage import Storage


def checkpoint(folder: TrialFolder, step: int, whole: bool = True) -> Path:
    path = folder.checkpoints / f"step-{step:08d}"
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"weights %d" % step)
    if whole:
        (path / "manifest.json").write_text("{}")
    return path


def steps(folder: TrialFolder) -> list[str]:
    return sorted(path.name for path in folder.checkpoints.glob("*"))


@pytest.fixture
def here(tmp_path: Path) -> TrialFolder:
    return TrialFolder(tmp_path / "here" / "tsl-1")


@pytest.fixture
def there(tmp_path: Path) -> TrialFolder:
    return TrialFolder(tmp_path / "there" / "tsl-1")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "storage"), "tsl-1")


def test_what_one_machine_stores_another_goes_on_from(storage: Storage, here: TrialFolder, there: TrialFolder) -> None:
    checkpoint(here, 2)
    checkpoint(here, 4)
    storage.push(here)
    storage.pull(there)
    assert steps(there) == ["step-00000002", "step-00000004"]
    assert (there.checkpoints / "step-00000004" / "model.safetensors").read_bytes() == b"weights 4"


def test_half_a_checkpoint_is_neither_stored_nor_brought(
    storage: Storage, here: TrialFolder, there: TrialFolder, tmp_path: Path
) -> None:
    checkpoint(here, 2)
    checkpoint(here, 4, whole=False)
    storage.push(here)
    torn = tmp_path / "storage" / "trials" / "tsl-1" / "checkpoints" / "step-00000006"
    torn.mkdir()
    (torn / "model.safetensors").write_bytes(b"half")
    storage.pull(there)
    assert steps(there) == ["step-00000002"]


def test_what_the_trial_dropped_leaves_the_store(storage: Storage, here: TrialFolder, there: TrialFolder) -> None:
    old = checkpoint(here, 2)
    storage.push(here)
    (old / "manifest.json").unlink()
    (old / "model.safetensors").unlink()
    old.rmdir()
    checkpoint(here, 4)
    storage.push(here)
    storage.pull(there)
    assert steps(there) == ["step-00000004"]


def test_what_the_trial_dropped_elsewhere_goes_here_too(
    storage: Storage, here: TrialFolder, there: TrialFolder
) -> None:
    checkpoint(there, 2)
    checkpoint(there, 6)  # of an attempt that was cut off before it could store it
    checkpoint(here, 4)
    storage.push(here)
    storage.pull(there)
    assert steps(there) == ["step-00000004", "step-00000006"]


def test_a_store_ahead_of_a_machine_is_not_cut_back(storage: Storage, here: TrialFolder, there: TrialFolder) -> None:
    checkpoint(here, 4)
    storage.push(here)
    checkpoint(there, 2)
    storage.push(there)
    fresh = TrialFolder(here.path.with_name("fresh"))
    storage.pull(fresh)
    assert steps(fresh) == ["step-00000002", "step-00000004"]


def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match=r"site\.storage=nowhere://x cannot be reached"):
        Storage("nowhere://x", "tsl-1")
    (tmp_path / "file").write_text("")
    with pytest.raises(PlaceError, match=r"cannot be (written|read)"):
        folder = TrialFolder(tmp_path / "trial")
        checkpoint(folder, 1)
        Storage(str(tmp_path / "file"), "tsl-1").push(folder)


def test_files_that_grow_arrive_piece_by_piece_and_events_last(here: TrialFolder, there: TrialFolder) -> None:
    mirror = Mirror(here)
    here.log(0).parent.mkdir(parents=True)
    here.log(0).write_text("one\n")
    here.events.write_text('{"kind": 1}\n')
    pieces = mirror.news()
    assert [piece.path for piece in pieces] == ["ranks/00.log", "events.jsonl"]
    apply(there, pieces)
    with here.log(0).open("a") as log:
        log.write("two\n")
    apply(there, mirror.news())
    assert there.log(0).read_text() == "one\ntwo\n"
    assert there.events.read_text() == '{"kind": 1}\n'
    assert mirror.news() == []


def test_a_file_for_people_arrives_whole_and_again_when_it_changed(here: TrialFolder, there: TrialFolder) -> None:
    mirror = Mirror(here)
    picture = here.artifacts / "val" / "picture.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"first")
    apply(there, mirror.news())
    picture.write_bytes(b"second")
    apply(there, mirror.news())
    assert (there.artifacts / "val" / "picture.png").read_bytes() == b"second"


def test_nothing_is_written_outside_of_the_folder(there: TrialFolder) -> None:
    there.path.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"\.\./x"):
        apply(there, [Piece("../x", b"", whole=True)])
