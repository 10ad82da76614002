"""The data node of methods that read video clips with their sound from a class tree.

It says what the data set is and where its parts lie. How many clips a method takes and how it hears them is the
method's own (`ClipsModel`, `MfccModel`, `FbankModel` name those settings), so that `data=ve8` fits every method.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from jack_ray.contract.settings import setting


@dataclass(frozen=True)
class DataConfig:
    """`data`: a class tree. `images/<Class>/<id>/000001.jpg ..`, `sound/<Class>/<id>.mp3` and an annotation file."""

    name: str = setting("the data set")
    root: str = setting("folder with the annotation file, the pictures and the sound")
    annotation: str = setting("annotation file below root: labels, and subset and label of each video")
    labels: tuple[str, ...] | None = setting(
        "the classes that the annotation must have, in its order; null: whichever it has"
    )
    images: str = setting("folder below root with a folder of pictures for each video", source="VAANet --video_path")
    sound: str = setting("folder below root with the sound files: mp3, flac or wav", source="VAANet --audio_path")
    videos: str = setting("source=video: folder below root with the video files, <Class>/<id>.mp4 or the like")
    source: Literal["frames", "video"] = setting(
        "frames: pictures that were extracted before. video: pictures decoded from the video file, the same pixels"
    )
    image_height: int = setting("source=video: height to which pictures are scaled", unit="pixels", ge=16)
    jpeg_quality: int | None = setting(
        "source=video: pictures pass through JPEG as extracted ones do, which makes them equal; null: they do not",
        ge=1,
        le=100,
    )
    frame_step: int = setting("one picture in this many is used", unit="frames", source="VAANet: 30 // fps", ge=1)
    min_frames: int = setting("a video with fewer pictures is a fault", unit="frames", source="VAANet n_frames", ge=1)
    missing_sound: Literal["stop", "silence"] = setting("what a video without a sound file is: a fault, or silent")
    split: Literal["annotation"] | int = setting(
        "annotation: its subsets training and validation. A number: this one of the random splits by class"
    )
    test_fraction: float = setting("random splits: share of each class that is tested on", gt=0, lt=1)
    val_fraction: float = setting("share of the training videos held out to choose the checkpoint", ge=0, lt=1)
    sound_cache_mb: int = setting("memory of a process for sound that was read before", unit="MB", ge=0)

    clips: Literal["random", "fixed"] = setting(
        "what training draws. random: clips, crops and changes anew in every step, as published. fixed: one of "
        "`clip_variants` of each video, which are the same in every step, trial and sweep"
    )
    clip_variants: int = setting("clips=fixed: variants of each video", ge=1)
    clip_seed: int = setting("clips=fixed: seed of the variants, apart from train.seed so that seeds share them", ge=0)
    feature_cache: bool | None = setting(
        "whether features of a frozen backbone are computed once and kept in files: true: they must be, false: they "
        "are not, null: they are where clips=fixed, model.backbone=frozen and model.freeze_bn=true"
    )
    feature_folder: str = setting("folder of these files; site.features")
    feature_cache_gb: float = setting("what they may take on disk; site.features_gb", unit="GB", gt=0)


class ClipsModel(Protocol):
    """The settings of a model that say which pictures it takes."""

    @property
    def num_classes(self) -> int:
        """Classes."""
        ...

    @property
    def segments(self) -> int:
        """S, clips of a video."""
        ...

    @property
    def clip_frames(self) -> int:
        """D, pictures of a clip."""
        ...

    @property
    def size(self) -> int:
        """Height and width of a picture in pixels."""
        ...


class MfccModel(ClipsModel, Protocol):
    """The settings of a model that hears mel-frequency cepstral coefficients (VAANet)."""

    @property
    def sound_rate_hz(self) -> int:
        """Sound is resampled to this (44100)."""
        ...

    @property
    def mfcc(self) -> int:
        """Coefficients of a row (32)."""
        ...

    @property
    def sound_rows(self) -> int:
        """Rows of a video (4096); shorter sound is repeated, longer sound is cut."""
        ...


class FbankModel(ClipsModel, Protocol):
    """The settings of a model that hears Kaldi filter banks (CTEN); it has as many pieces of sound as clips."""

    @property
    def mel_bands(self) -> int:
        """Bands of a row (128)."""
        ...

    @property
    def piece_rows(self) -> int:
        """Rows of a piece of sound, 10 ms each (100)."""
        ...

    @property
    def sound_mean(self) -> float:
        """Subtracted from a log energy (-6.6268077)."""
        ...

    @property
    def sound_scale(self) -> float:
        """A log energy is divided by this (2 * 5.358466)."""
        ...
