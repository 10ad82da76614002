"""TSL-Net: sentiment scores for every snippet of a video (TSL-Net paper, section 3; TSL300 model.py)."""
# B videos  T snippets of a video  L snippets of a row of videos (row.py), which is T where there is one
# V visual width  F mel frames  M mel bands  A audio width  D aligned width  H hidden width  K classes

from collections.abc import Iterator
from typing import Any

import jittor as jt
import numpy as np
from jittor import nn

from jack_ray.contract.errors import TrainError
from jack_ray.methods.roles import Batch, Group, Pretrained
from jack_ray.methods.shared.batchnorm import SampleBatchNorm
from jack_ray.methods.shared.computing import compute
from jack_ray.methods.shared.convolution import ImageConvolution, SequenceConvolution
from jack_ray.methods.shared.dropout import dropout_mask
from jack_ray.methods.tsl.config import CLASSES, Config
from jack_ray.methods.tsl.row import Row

OUTPUTS = len(CLASSES) + 1
"""One score a class, and the background last."""


class Model(nn.Module):
    """TSL-Net; its state dict has the published names and shapes (91,342,592 parameters at full width)."""

    def __init__(self, config: Config) -> None:
        self.cls_module = Network(config)
        self._config = config

    def execute(self, batch: Batch) -> dict[str, Any]:
        """What evaluation needs of one video.

        batch: `rgb` (1, T, V) and `mel` (1, T, F, M), float32. Returns `video_scores` (1, K): each class's score for
        the whole video; `scores` (1, T, K+1): class scores damped by the background's, and the background;
        `features` (1, T, H).
        """
        joint = self.cls_module.join(batch)
        scores = jt.sigmoid(self.cls_module.classify(joint.hidden))
        top = _top_weights(scores, self._config.top_share, Row.of(batch))
        return {
            "video_scores": (scores[:, :, : len(CLASSES)] * top).sum(1),
            "scores": fuse(scores),
            "features": joint.hidden.transpose(0, 2, 1),
        }

    def training_outputs(self, batch: Batch) -> dict[str, jt.Var]:
        """What the loss needs of one video, or of a row of them, with the gradient's way back.

        Beside the outputs of `execute`, with L for T and B videos: `distribution` (1, L, K+1), a softmax over the
        outputs; `video_distribution` (B, K), that of the classes in each whole video, in float64 because its loss is a
        small difference of large terms; `cpc` (1,), how well the joint features predict both branches, the mean over
        videos. A class that `batch["video_labels"]` (B, K) does not name scores its mean over the video instead of its
        top. `batch["seeds"]` (B,) decide what is dropped.
        """
        row = Row.of(batch)
        joint = self.cls_module.join(batch)
        kept = self.cls_module.drop(joint.hidden, batch, row)
        scores, logits = jt.sigmoid(self.cls_module.classify(kept)), self.cls_module.distribute(kept)
        classes = scores[:, :, : len(CLASSES)]
        present = jt.array(batch["video_labels"])
        top = (classes * _top_weights(scores, self._config.top_share, row)).sum(1)
        top_logits = (logits[:, :, : len(CLASSES)] * _top_weights(logits, self._config.top_share, row)).sum(1)
        mean = (classes * jt.array(row.membership[:, :, None])).sum(1)
        return {
            "video_scores": present * top + (1 - present) * mean,
            "scores": fuse(scores),
            "features": joint.hidden.transpose(0, 2, 1),
            "distribution": nn.softmax(logits, 2),
            "video_distribution": nn.softmax(top_logits.float64(), 1),
            "cpc": self.cls_module.predictability(joint, row),
        }

    def groups(self) -> list[Group]:
        """The audio branch, which learns `audio_rate` times as fast, and everything else."""
        learnt = {name: var for name, var in self.state_dict().items() if "running_" not in name}
        audio = {name: var for name, var in learnt.items() if name.startswith("cls_module.a_extractor.")}
        others = {name: var for name, var in learnt.items() if name not in audio}
        return [Group(others), Group(audio, self._config.audio_rate)]

    def pretrained(self) -> list[Pretrained]:
        """None: the features were computed by pretrained networks."""
        return []


class Joint:
    """A row on its way through the network: (1, A, L), (1, D, L), (1, H, L); `filled` (1, 1, L) is 0 between videos."""

    def __init__(self, audio: jt.Var, visual: jt.Var, hidden: jt.Var, filled: jt.Var) -> None:
        self.audio = audio
        self.visual = visual
        self.hidden = hidden
        self.filled = filled


class Network(nn.Module):
    """The published module `cls_module`; the order of the attributes is that of its state dict."""

    def __init__(self, config: Config) -> None:
        audio, aligned, hidden = config.audio_widths[2], config.aligned_width, config.hidden_width
        self.a_extractor = _audio_extractor(config)
        self.v_align = nn.Sequential(SequenceConvolution((config.rgb_width, aligned), 3, rectifies=True))
        self.neck = nn.Sequential(SequenceConvolution((aligned + audio, hidden), 3, rectifies=True))
        self.rev_fa = Predictor(hidden, audio, config.reconstruction_layers)
        self.rev_fv = Predictor(hidden, aligned, config.reconstruction_layers)
        self.classifier = nn.Sequential(SequenceConvolution((hidden, OUTPUTS), 1, has_bias=False))
        self.distribution = nn.Sequential(SequenceConvolution((hidden, OUTPUTS), 1, has_bias=False))
        self.dropout = config.dropout
        self._config = config
        self._positions = positional_code(config.max_snippets, config.mel_bands)

    def join(self, batch: Batch) -> Joint:
        """Both branches and their joint features."""
        row = Row.of(batch)
        _check_lengths(batch, row, self._config)
        filled = jt.array(row.filled[None, None])
        audio = self._listen(batch["mel"][0], row)
        visual = self.v_align(jt.array(batch["rgb"]).transpose(0, 2, 1)) * filled
        return Joint(audio, visual, self.neck(jt.concat([visual, audio], 1)) * filled, filled)

    def _listen(self, mel: np.ndarray, row: Row) -> jt.Var:
        """The audio branch of each video: (L, F, M) -> (1, A, L)."""
        heard: list[jt.Var] = []
        for images, counts in audio_chunks(mel, row, self._positions, self._config.audio_chunk):
            if heard and not self.is_training():
                compute(heard[-1:])  # a long video's chunks are not in memory together
            features = jt.array(images)
            for layer in self.a_extractor:
                features = layer(features, counts) if isinstance(layer, SampleBatchNorm) else layer(features)
            heard.append(features)
        features = jt.concat(heard, 0)
        # a number of -1 lies outside, and what lies outside is 0
        shape = [1, features.shape[1], row.size]
        return features.reindex(shape, ["@e0(i2)", "i1"], extras=[jt.array(row.numbers)])

    def drop(self, hidden: jt.Var, batch: Batch, row: Row) -> jt.Var:
        """(1, H, L) with dropout in training: each video's own, whichever rank or row it is in."""
        share = self.dropout
        if share == 0 or not self.is_training():
            return hidden
        kept = np.zeros(hidden.shape, np.float32)
        for place, length, seed in zip(row.places, row.lengths, batch["seeds"], strict=True):
            mask = dropout_mask(np.array([seed]), 0, hidden.shape[1] * length, share)
            kept[0, :, place] = mask.reshape(hidden.shape[1], length)
        return hidden * jt.array(kept)

    def classify(self, hidden: jt.Var) -> jt.Var:
        """The logits of the classes and the background, (1, L, K+1)."""
        return self.classifier(hidden).transpose(0, 2, 1)

    def distribute(self, hidden: jt.Var) -> jt.Var:
        """The logits of the sentiment distribution, (1, L, K+1)."""
        return self.distribution(hidden).transpose(0, 2, 1)

    def predictability(self, joint: Joint, row: Row) -> jt.Var:
        """The mean log-probability of finding each snippet of both branches from the joint features, (1,).

        A negative number; the nearer to 0, the better. TSL-Net paper, section 3.3.
        """
        audio = log_probability(joint.audio, self.rev_fa(joint.hidden, joint.filled), row)
        return audio + log_probability(joint.visual, self.rev_fv(joint.hidden, joint.filled), row)


class Predictor(nn.Module):
    """Predicts one branch's features from the joint ones: (1, H, L) -> (1, A or D, L). TSL300 model.py: CPC."""

    def __init__(self, hidden: int, width: int, num_layers: int) -> None:
        layers: list[nn.Module] = []
        for layer in range(num_layers):
            channels = (hidden, hidden if layer < num_layers - 1 else width)
            # the published rectifiers have a number in the state dict's names
            layers += [SequenceConvolution(channels, 3, rectifies=True), nn.Identity()]
        self.net = nn.Sequential(*layers)

    def execute(self, hidden: jt.Var, filled: jt.Var) -> jt.Var:
        """Predict. filled: (1, 1, L), 0 between videos, which stays empty from layer to layer."""
        for layer in self.net:
            if isinstance(layer, SequenceConvolution):
                hidden = layer(hidden) * filled
        return hidden


class ImageMean(nn.Module):
    """The mean over height and width: (B, C, H, W) -> (B, C). AvgPool(4,3) on the published 4x3 maps."""

    def execute(self, images: jt.Var) -> jt.Var:
        """Average."""
        return images.mean((2, 3))


def _audio_extractor(config: Config) -> nn.Sequential:
    first, second, third = config.audio_widths
    return nn.Sequential(
        ImageConvolution((1, first), 7, (3, 2), 3, rectifies=True),
        nn.Identity(),
        SampleBatchNorm(first, pools=4),
        nn.Identity(),
        ImageConvolution((first, second), 3, padding=1, rectifies=True),
        nn.Identity(),
        ImageConvolution((second, second), 1, rectifies=True),
        nn.Identity(),
        SampleBatchNorm(second, pools=2),
        nn.Identity(),
        ImageConvolution((second, third), 3, padding=1, rectifies=True),
        nn.Identity(),
        ImageConvolution((third, third), 1, rectifies=True),
        nn.Identity(),
        SampleBatchNorm(third),
        ImageMean(),
    )


def positional_code(length: int, width: int) -> np.ndarray:
    """Sine and cosine of the position at falling frequencies, (length, width), in float32 as PyTorch computes it."""
    steps = np.arange(0, width, 2, dtype=np.float32) * np.float32(-np.log(10000.0) / width)
    angles = np.arange(length, dtype=np.float32)[:, None] * np.exp(steps)
    code = np.empty((length, width), np.float32)
    code[:, 0::2] = np.sin(angles)
    code[:, 1::2] = np.cos(angles)[:, : width // 2]
    return code


Chunk = tuple[np.ndarray, tuple[int, ...]]
"""Pictures (N, 1, 3F, M) that the audio branch sees at once, and how many of them each video has."""


def audio_chunks(mel: np.ndarray, row: Row, positions: np.ndarray, chunk: int) -> Iterator[Chunk]:
    """Each snippet's spectrogram between its neighbours', in chunks of at most `chunk` snippets of a video.

    mel: (L, F, M). positions: (at least T, M), added first. The neighbours are those within the chunk, going round
    at its ends (TSL300 model.py). Several videos, each shorter than a chunk, are seen at once.
    """
    coded = [mel[place] + positions[: place.stop - place.start, None, :] for place in row.places]
    if len(coded) > 1:
        yield _between_neighbours(coded), row.lengths
        return
    for start in range(0, len(coded[0]), chunk):
        part = coded[0][start : start + chunk]
        yield _between_neighbours([part]), (len(part),)


def _between_neighbours(parts: list[np.ndarray]) -> np.ndarray:
    """(N, 1, 3F, M) of parts (T, F, M)."""
    _, height, width = parts[0].shape
    images = np.empty((sum(map(len, parts)), 1, 3 * height, width), np.float32)
    start = 0
    for part in parts:
        before, middle, after = np.split(images[start : start + len(part), 0], 3, axis=1)
        before[1:], before[0] = part[:-1], part[-1]
        middle[:] = part
        after[:-1], after[-1] = part[1:], part[0]
        start += len(part)
    return images


def fuse(scores: jt.Var) -> jt.Var:
    """(1, T, K+1): the classes' scores times what the background leaves, and the background."""
    background = scores[:, :, len(CLASSES) :]
    return jt.concat([scores[:, :, : len(CLASSES)] * (1 - background), background], 2)


def log_probability(features: jt.Var, predicted: jt.Var, row: Row) -> jt.Var:
    """The mean over T of the log-softmax, over a video's T predictions, of a snippet's likeness to its own; (1,).

    features, predicted: (1, C, L). Likeness is the cosine. Of several videos it is the mean.
    """
    found, guessed = _unit(features[0]), _unit(predicted[0])
    own = (found * guessed).sum(0)
    # A cosine is at most 1, so the exponentials cannot overflow.
    likeness = jt.exp(jt.matmul(found.transpose(1, 0), guessed)) * jt.array(row.together)
    return ((own - jt.log(likeness.sum(1))) * jt.array(row.membership.mean(0))).sum()


def _unit(columns: jt.Var) -> jt.Var:
    # The square is bounded, not its root: the root's slope at 0 is infinite, and a dead column's gradient would be NaN.
    squares = (columns * columns).sum(0, keepdims=True)
    return columns / jt.sqrt(jt.maximum(squares, 1e-24))


def _top_weights(values: jt.Var, top_share: int, row: Row) -> jt.Var:
    """(B, L, K): 1/k at the k = T // top_share largest values of a video's class: a sum is their mean."""
    looked_at = values.numpy()[0, :, : len(CLASSES)]
    weights = np.zeros((len(row.lengths), *looked_at.shape), np.float32)
    for of_video, place, length in zip(weights, row.places, row.lengths, strict=True):
        number = length // top_share
        chosen = np.argsort(-looked_at[place], axis=0, kind="stable")[:number]
        np.put_along_axis(of_video[place], chosen, np.float32(1 / number), axis=0)
    return jt.array(weights)


def _check_lengths(batch: Batch, row: Row, config: Config) -> None:
    names = batch["name"] if "lengths" in batch else [batch.get("name", "a video")]
    for name, length in zip(names, row.lengths, strict=True):
        if not config.top_share <= length <= config.max_snippets:
            raise TrainError(
                f"{name} has {length} snippets; TSL-Net takes {config.top_share} "
                f"(model.top_share) to {config.max_snippets} (model.max_snippets)."
            )
