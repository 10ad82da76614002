"""TSL-Net's features of a video file: I3D on its pictures, a log-mel spectrogram of its sound.

# T snippets  F spectrogram frames  M mel bands  H W height and width
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

import jittor as jt
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.roles import Network
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.sound_stream import open_sound
from jack_ray.methods.shared.windows import refuse_long
from jack_ray.methods.tsl.config import DataConfig
from jack_ray.methods.tsl.i3d import I3D
from jack_ray.methods.tsl.mel import log_mel

SHORT_SIDE = 256
CROP = 224
"""I3D was trained on squares of 224, of pictures whose shorter side is 256 (Carreira and Zisserman, section 2.5)."""

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Features:
    """What TSL300 calls rgb (T, 1024) and logmfcc (F, M), and the frame rate."""

    rgb: Floats
    mel: Floats
    fps: float


class Extractor:
    """Videos to features."""

    def __init__(self, network: I3D, data: DataConfig) -> None:
        self.network = network
        self.data = data

    def with_weights(self, path: Path) -> Network:
        """The network and its file, to be loaded; the layers after the features do not matter."""
        return Network(self.network, path, unused=("logits.",))

    def features(self, path: Path, max_s: float = inf) -> Features:
        """The features of one video. Raises DataError naming the file that has no pictures, no sound or no rate.

        max_s: what lasts longer is refused. Pictures and sound are never whole in memory.
        """
        video_file.forget()
        with video_file.opened(path) as (container, stream):
            fps = float(stream.average_rate or 0)
            told_s = video_file.duration_s(container, stream)
        refuse_long(path, told_s, max_s)
        if fps <= 0:
            raise DataError([Fault(str(path), "no frame rate in it", "a video with a frame rate")])
        sound = open_sound(path, 2 * max_s)
        if sound is None:
            raise DataError([Fault(str(path), "no sound track", "a video with sound")])
        rgb = []
        for snippet in snippets(path, self.data.snippet_frames):
            rgb.append(self._see(snippet))
            refuse_long(path, len(rgb) * self.data.snippet_frames / fps, max_s)
        if not rgb:
            expected = f"at least {self.data.snippet_frames}"
            raise DataError([Fault(str(path), f"{video_file.num_pictures(path)} pictures", expected)])
        return Features(np.stack(rgb), log_mel(sound, fps, self.data.mel_bands), fps)

    def _see(self, snippet: Bytes) -> Floats:
        colours = snippet.astype(np.float32) * np.float32(2 / 255) - 1
        with jt.no_grad():
            return np.asarray(self.network(jt.array(colours[None])).numpy()[0])


def snippets(path: Path, frames: int) -> Iterator[Bytes]:
    """(3, frames, H, W) RGB of consecutive pictures; an incomplete rest is left out. Raises DataError."""
    pictures: list[Bytes] = []
    for picture in video_file.pictures(path, SHORT_SIDE):
        pictures.append(middle(picture))
        if len(pictures) == frames:
            yield np.stack(pictures, axis=1)
            pictures = []


def middle(picture: Image.Image) -> Bytes:
    """(3, CROP, CROP): the middle of a picture whose shorter side is made SHORT_SIDE."""
    scale = SHORT_SIDE / min(picture.size)
    if scale != 1:
        width, height = (round(side * scale) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    left, top = ((side - CROP) // 2 for side in picture.size)
    return np.asarray(picture.crop((left, top, left + CROP, top + CROP))).transpose(2, 0, 1)
