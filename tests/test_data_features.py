"""python -m jack_ray.data features: what can go wrong before anything is computed, and one real run."""

from pathlib import Path

import av
import numpy as np
import pytest

from jack_ray.contract.errors import DataError
from jack_ray.data.__main__ import main
from jack_ray.data.features import find_videos


def make_video(path: Path, pictures: int, has_sound: bool = True) -> None:
    """A short video with a moving bar and a tone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        sound = container.add_stream("aac", rate=44100) if has_sound else None
        for number in range(pictures):
            picture = np.zeros((64, 96, 3), np.uint8)
            picture[:, number % 96] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
        if sound is not None:
            wave = np.sin(np.arange(44100 * pictures // 25) * 0.05).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            frame.sample_rate = 44100
            container.mux(sound.encode(frame))
            container.mux(sound.encode())


def test_videos_are_found_in_their_natural_order(tmp_path: Path) -> None:
    for name in ("clip10.mp4", "clip2.MP4", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in find_videos(tmp_path)] == ["clip2.MP4", "clip10.mp4"]
    assert find_videos(tmp_path / "clip10.mp4") == [tmp_path / "clip10.mp4"]


def test_two_videos_of_one_name_are_told(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clip.mp4").touch()
    with pytest.raises(DataError, match="another video is called clip, too"):
        find_videos(tmp_path)


def test_mistakes_are_told_before_anything_is_computed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clip.mp4").touch()
    weights = tmp_path / "weights.pt"
    assert main(["features", str(tmp_path), str(tmp_path / "root"), "--weights", str(weights)]) == 2
    assert f"--weights {weights}: no such file; expected a file with I3D's weights" in capsys.readouterr().err
    assert main(["features", str(tmp_path / "none"), "root", "--weights", str(weights)]) == 2
    assert "no such file or folder; expected videos (.mp4" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["features", str(tmp_path / "empty"), "root", "--weights", str(weights)]) == 2
    assert "no videos in it" in capsys.readouterr().err


@pytest.mark.rank
def test_features_are_written_once_and_unreadable_videos_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.numpy import save_file

    from jack_ray.methods.tsl.i3d import I3D

    videos, root = tmp_path / "videos", tmp_path / "root"
    videos.mkdir()
    make_video(videos / "good.mp4", 40)
    make_video(videos / "silent.mp4", 20, has_sound=False)
    make_video(videos / "short.mp4", 10)
    (videos / "junk.mp4").write_bytes(b"junk")
    save_file({name: np.array(var.numpy()) for name, var in I3D().state_dict().items()}, tmp_path / "i3d.safetensors")
    command = ["features", str(videos), str(root), "--weights", str(tmp_path / "i3d.safetensors")]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert "3 videos could not be read" in told
    assert "silent.mp4: no sound track; expected a video with sound" in told
    assert "short.mp4: 10 pictures; expected at least 16" in told
    assert "junk.mp4: cannot be decoded" in told
    features = root / "features" / "test"
    assert np.load(features / "rgb" / "good.npy").shape == (2, 1024)  # 40 pictures: two snippets and a rest
    mel = np.load(features / "logmfcc" / "good.npy")
    assert mel.shape[1] == 60
    assert abs(len(mel) - 2 * 40) <= 3  # the sound's last block is filled up by its encoder
    before = (features / "rgb" / "good.npy").stat().st_mtime_ns
    for name in ("silent.mp4", "short.mp4", "junk.mp4"):
        (videos / name).unlink()
    assert main(command) == 0
    assert "0 videos done, 1 were done before" in capsys.readouterr().out
    assert (features / "rgb" / "good.npy").stat().st_mtime_ns == before
