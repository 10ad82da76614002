"""VAANet: what its numbers mean. The numbers themselves are in conf/model/vaanet.yaml and conf/data/."""

from dataclasses import dataclass

from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import setting
from jack_ray.methods.shared.clip_network_config import ClipNetworkConfig, check_clip_network, check_labels
from jack_ray.methods.shared.clips_config import DataConfig

__all__ = ["Config", "DataConfig", "check", "check_labels"]

OPERATORS = 199
"""Compiled by Jittor for a training of two ranks with its evaluations: counted on processors, from an empty cache."""

MOST_FRAMES = 16
"""The backbone halves time four times, and one moment of a clip must be left."""


@dataclass(frozen=True)
class Config(ClipNetworkConfig):
    """`model`: the network, its loss, and the sound it takes."""

    visual_width: int = setting("channels in which clips are weighed", source="VAANet models/visual_stream.py", ge=1)
    sound_rate_hz: int = setting("sound is resampled to this", unit="Hz", source="VAANet datasets", ge=1000)
    mfcc: int = setting("mel-frequency cepstral coefficients of a row", source="VAANet datasets", ge=1)
    sound_rows: int = setting(
        "rows of coefficients of a video, 512 samples each; shorter sound is repeated, longer sound is cut", ge=1
    )
    sound_pieces: int = setting("equal pieces that the rows are cut in", source="VAANet --audio_n_segments", ge=1)
    audio_embedding: int = setting("features of a piece", source="VAANet --audio_embed_size", ge=1)


def check(model: Config, data: DataConfig, train: TrainConfig) -> list[Fault]:
    """Every combination of settings that cannot work together."""
    faults = check_clip_network(model, data, train)
    if model.clip_frames > MOST_FRAMES:
        expected = f"at most {MOST_FRAMES}: the 3-D ResNet must leave one moment of a clip"
        faults.append(Fault("model.clip_frames", str(model.clip_frames), expected))
    if model.sound_rows % model.sound_pieces:
        found = f"{model.sound_rows}, which {model.sound_pieces} pieces (model.sound_pieces) do not divide"
        remedy = f"Type model.sound_rows={-(-model.sound_rows // model.sound_pieces) * model.sound_pieces}."
        faults.append(Fault("model.sound_rows", found, "equal pieces", remedy))
    return faults
