"""Which files below the folder of inputs become a question."""

from pathlib import Path

import pytest

from jack_ray.serving import inputs
from jack_ray.serving.faults import RequestError
from jack_ray.serving.kinds import SMALL_BYTES, VIDEOS, Accepts

VIDEO = Accepts("video", VIDEOS, {"file": VIDEOS})


def large(path: Path, head: bytes) -> None:
    """A file that takes no room: a head, and nothing behind it."""
    path.write_bytes(head)
    with path.open("r+b") as opened:
        opened.truncate(SMALL_BYTES + 1)


def test_how_large_a_file_may_be_follows_from_its_content(tmp_path: Path) -> None:
    for name in ("CLIP.MP4", "clip.m4v", "clip.npy"):
        large(tmp_path / name, b"\0\0\0\x10ftypisom\0\0\2\0")
        assert inputs.of_path({"path": name}, tmp_path, VIDEO, 1 << 30, True).main == name
    large(tmp_path / "array.mp4", b"\x93NUMPY\1\0")
    gaits = Accepts("gait", (".npy",), {"file": (".npy",)})
    with pytest.raises(RequestError, match="has 67 MB"):
        inputs.of_path({"path": "array.mp4"}, tmp_path, gaits, 1 << 30, True)


def test_companions_of_a_file_that_lie_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    rgb, mel = (tmp_path / "features" / "test" / name / "6.npy" for name in ("rgb", "logmfcc"))
    for path in (rgb, mel):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\x93NUMPY\1\0")
    (tmp_path / "fps_dict.json").write_text("{}")
    features = Accepts("features", (".npy",), {"rgb": (".npy",), "mel": (".npy",), "fps": ()})

    def files(root: Path) -> tuple[str, ...]:
        body = {"path": str(rgb.relative_to(root))}
        return inputs.of_path(body, root, features, 1 << 20, True).files

    test = "features/test"
    assert files(tmp_path) == (f"{test}/rgb/6.npy", f"{test}/logmfcc/6.npy", "fps_dict.json")
    assert files(tmp_path / "features" / "test") == ("rgb/6.npy", "logmfcc/6.npy")
    mel.unlink()
    mel.symlink_to(tmp_path / "fps_dict.json")
    assert files(tmp_path / "features" / "test") == ("6.npy",)
