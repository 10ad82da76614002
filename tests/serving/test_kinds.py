"""What a file is, told by its first bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jack_ray.serving.kinds import GAITS, HEAD_BYTES, SMALL_BYTES, VIDEOS, accepts, kind_of
from tests.serving import hostile, media
from tests.serving.doors import trial_of


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi", ".mpg", ".ts", ".flv"])
def test_a_video_is_known_by_its_content(tmp_path: Path, suffix: str) -> None:
    written = media.write_video(tmp_path / f"clip{suffix}", codec="flv1" if suffix == ".flv" else "mpeg1video")
    found = kind_of(written.read_bytes()[:HEAD_BYTES])
    assert found == {".mov": ".mp4"}.get(suffix, suffix)


def test_gaits_are_known_by_their_content() -> None:
    assert kind_of(hostile.array(np.zeros(3))[:HEAD_BYTES]) == ".npy"
    assert kind_of(hostile.motion()[:HEAD_BYTES]) == ".bvh"


@pytest.mark.parametrize("head", [b"", b"x", b"<html>", b"GIF89a", bytes(512), b"RIFF1234WEBP", b"hierarchy"])
def test_anything_else_is_not(head: bytes) -> None:
    assert kind_of(head) == ""


def test_a_model_takes_what_its_method_reads() -> None:
    assert accepts(trial_of("model=gait_smoke")).suffixes == GAITS
    assert accepts(trial_of("model=vaanet_smoke")).suffixes == VIDEOS
    assert accepts(trial_of("model=cten_smoke")).input == "video"
    features = accepts(trial_of("model=tsl_small"))
    assert (features.input, list(features.fields)) == ("features", ["rgb", "mel", "fps"])
    trial = trial_of("model=tsl_small")
    assert accepts(replace(trial, model={**trial.model, "i3d_weights": "/weights.pt"})).input == "video"


def test_what_is_read_into_memory_may_be_less_large() -> None:
    gaits, videos = accepts(trial_of("model=gait_smoke")), accepts(trial_of("model=vaanet_smoke"))
    assert gaits.most_bytes(".npy", 10**10) == SMALL_BYTES
    assert gaits.most_bytes(".npy", 1000) == 1000
    assert videos.most_bytes(".mp4", 10**10) == 10**10
