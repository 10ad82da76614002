"""Sound files, whole and broken."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError
from jack_ray.methods.shared.array_cache import ArrayCache, cache_of
from jack_ray.methods.shared.demo_tree import write_video
from jack_ray.methods.shared.demo_videos import invent
from jack_ray.methods.shared.sound_file import Sound, read_sound, read_track
from jack_ray.methods.shared.sound_writing import write_sound

KINDS = ("mp3", "flac", "wav")


def tone(channels: int = 2, rate: int = 44100, seconds: float = 1.0) -> Sound:
    """A tone, another one in each channel."""
    time = np.arange(round(rate * seconds)) / rate
    waves = [0.5 * np.sin(2 * np.pi * 300 * (channel + 1) * time) for channel in range(channels)]
    return Sound(np.array(waves, np.float32), rate)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_written_is_read_again(tmp_path: Path, kind: str, channels: int) -> None:
    sound = tone(channels)
    write_sound(tmp_path / f"a.{kind}", sound)
    found = read_sound(tmp_path / f"a.{kind}")
    assert (found.rate_hz, found.samples.shape) == (44100, sound.samples.shape)
    assert np.abs(found.samples - sound.samples)[:, 2000:-2000].max() < (0.03 if kind == "mp3" else 1e-4)


def test_mp3_takes_rates_and_channels_that_it_does_not_know(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.mp3", tone(channels=6, rate=96000))
    found = read_sound(tmp_path / "a.mp3")
    assert (found.rate_hz, len(found.samples)) == (44100, 2)
    assert found.seconds == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_short_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    write_sound(path, tone())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=rf"a\.{kind}: (cut short: \d+% of it is there|cannot be decoded)"):
        read_sound(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"garbage" * 999])
def test_a_file_that_is_no_sound_is_told(tmp_path: Path, kind: str, content: bytes) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.{kind}: cannot be decoded; expected sound"):
        read_sound(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.wav: no such file"):
        read_sound(tmp_path / "a.wav")


def test_a_file_without_samples_is_told(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "a.wav"), np.zeros((0, 1)), 16000)
    with pytest.raises(DataError, match="no samples in it"):
        read_sound(tmp_path / "a.wav")


def test_samples_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "a.wav"), np.full((500, 1), np.nan), 16000, subtype="FLOAT")
    with pytest.raises(DataError, match="samples that are no finite numbers"):
        read_sound(tmp_path / "a.wav")


def test_the_track_of_a_video_is_read(tmp_path: Path) -> None:
    scene = invent(2, {"training": 1}, (30, 30), 1)[0]
    write_video(tmp_path / "a.mp4", scene, 24, 1)
    track = read_track(tmp_path / "a.mp4")
    assert track is not None
    assert (track.rate_hz, len(track.samples)) == (22050, 1)
    assert track.seconds == pytest.approx(1.0, abs=0.1)
    assert np.abs(track.samples).max() > 0.1


def test_arrays_are_remembered_up_to_a_size_and_the_latest_stay() -> None:
    cache = ArrayCache(1)
    made = []

    def make(name: str) -> NDArray[np.float32]:
        made.append(name)
        return np.zeros(100_000, np.float32)

    for name in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(name, lambda name=name: make(name)).nbytes == 400_000  # type: ignore[misc]
        assert cache.num_bytes <= 1_000_000
    assert made == ["a", "b", "c", "b"]


def test_an_array_larger_than_the_memory_is_not_remembered() -> None:
    cache = ArrayCache(0)
    assert cache.get("a", lambda: np.zeros(5, np.float32)).tolist() == [0] * 5
    assert cache.num_bytes == 0
    assert cache_of("sound", 7) is cache_of("sound", 7)
    assert cache_of("sound", 7) is not cache_of("streams", 7)


def test_a_remembered_array_cannot_be_changed_by_mistake() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ArrayCache(1).get("a", lambda: np.zeros(5, np.float32))[0] = 1
