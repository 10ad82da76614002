import fcntl
from pathlib import Path

import pytest

from jack_ray.contract.errors import PlaceError
from jack_ray.place.retire import retire


def test_a_folder_is_moved_aside_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "tsl-1"
    folder.mkdir()
    (folder / "state.json").write_text("x")
    retire(folder, folder / "lock")
    (aside,) = tmp_path.iterdir()
    assert aside.name.startswith("tsl-1.replaced-2")
    assert (aside / "state.json").read_text() == "x"


def test_what_is_not_there_needs_no_moving(tmp_path: Path) -> None:
    retire(tmp_path / "none", tmp_path / "none" / "lock")
    assert list(tmp_path.iterdir()) == []


def test_two_folders_retired_within_a_second_are_both_kept(tmp_path: Path) -> None:
    for text in ("first", "second"):
        (tmp_path / "t").mkdir()
        (tmp_path / "t" / "file").write_text(text)
        retire(tmp_path / "t", tmp_path / "t" / "lock")
    assert sorted(path.read_text() for path in tmp_path.glob("*/file")) == ["first", "second"]


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tsl-1"
    folder.mkdir()
    with (folder / "lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(PlaceError, match=r"tsl-1 is in use by another launch; wait for it or stop it"):
            retire(folder, folder / "lock")
    assert folder.exists()
