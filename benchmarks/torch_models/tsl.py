"""TSL-Net in PyTorch, as a user of it would write it today; one video at a time, as published."""

from math import log
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from jack_ray.methods.tsl.seed_search import search

CLASSES = 2
BACKGROUND = 2


def _audio_extractor(widths: Any) -> nn.Sequential:
    first, second, third = widths
    return nn.Sequential(
        nn.Conv2d(1, first, 7, (3, 2), 3),
        nn.ReLU(),
        nn.BatchNorm2d(first),
        nn.MaxPool2d(4),
        nn.Conv2d(first, second, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(second, second, 1),
        nn.ReLU(),
        nn.BatchNorm2d(second),
        nn.MaxPool2d(2),
        nn.Conv2d(second, third, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(third, third, 1),
        nn.ReLU(),
        nn.BatchNorm2d(third),
    )


class Predictor(nn.Module):
    """Predicts one branch's features from the joint ones."""

    def __init__(self, hidden: int, width: int, layers: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for layer in range(layers):
            parts += [nn.Conv1d(hidden, hidden if layer < layers - 1 else width, 3, padding=1), nn.ReLU()]
        self.net = nn.Sequential(*parts)

    def forward(self, hidden: Tensor) -> Tensor:
        """Predict."""
        return self.net(hidden)


def _positional_code(length: int, width: int) -> Tensor:
    steps = torch.exp(torch.arange(0, width, 2) * (-log(10000.0) / width))
    angles = torch.arange(length)[:, None] * steps
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)[:, :width]


class Network(nn.Module):
    """The published module `cls_module`."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        audio, aligned, hidden = config.audio_widths[2], config.aligned_width, config.hidden_width
        self.config = config
        self.a_extractor = _audio_extractor(config.audio_widths)
        self.v_align = nn.Sequential(nn.Conv1d(config.rgb_width, aligned, 3, padding=1), nn.ReLU())
        self.neck = nn.Sequential(nn.Conv1d(aligned + audio, hidden, 3, padding=1), nn.ReLU())
        self.rev_fa = Predictor(hidden, audio, config.reconstruction_layers)
        self.rev_fv = Predictor(hidden, aligned, config.reconstruction_layers)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Sequential(nn.Conv1d(hidden, CLASSES + 1, 1, bias=False))
        self.distribution = nn.Sequential(nn.Conv1d(hidden, CLASSES + 1, 1, bias=False))
        self.register_buffer("positions", _positional_code(config.max_snippets, config.mel_bands), persistent=False)

    def join(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        """Audio, visual and joint features, each (1, C, T)."""
        mel = torch.from_numpy(batch["mel"][0])
        mel = mel + self.positions[: len(mel), None, :]
        chunks = []
        for part in mel.split(self.config.audio_chunk):
            images = torch.cat([part.roll(1, 0), part, part.roll(-1, 0)], 1)[:, None]
            chunks.append(self.a_extractor(images).mean((2, 3)))
        audio = torch.cat(chunks).T.unsqueeze(0)
        visual = self.v_align(torch.from_numpy(batch["rgb"]).transpose(1, 2))
        return audio, visual, self.neck(torch.cat([visual, audio], 1))


class Model(nn.Module):
    """TSL-Net."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.cls_module = Network(config)
        self.config = config

    def forward(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Scores of a video, and of its snippets: what evaluation needs."""
        _, _, hidden = self.cls_module.join(batch)
        scores = torch.sigmoid(self.cls_module.classifier(hidden).transpose(1, 2))
        return self._top(scores), _fuse(scores)

    def _top(self, values: Tensor) -> Tensor:
        classes = values[:, :, :CLASSES]
        return classes.topk(classes.shape[1] // self.config.top_share, 1).values.mean(1)

    def parameters_to_train(self) -> list[list[Any]]:
        """Everything else, and the audio branch."""
        audio = list(self.cls_module.a_extractor.parameters())
        known = {id(parameter) for parameter in audio}
        return [[parameter for parameter in self.parameters() if id(parameter) not in known], audio]


def _fuse(scores: Tensor) -> Tensor:
    background = scores[:, :, CLASSES:]
    return torch.cat([scores[:, :, :CLASSES] * (1 - background), background], 2)


def _log_probability(features: Tensor, predicted: Tensor) -> Tensor:
    found, guessed = functional.normalize(features[0], dim=0), functional.normalize(predicted[0], dim=0)
    own = (found * guessed).sum(0)
    return (own - torch.logsumexp(found.T @ guessed, 1)).mean()


def _focal(scores: Tensor, target: Tensor, weights: Tensor, total: Tensor) -> Tensor:
    miss = (1 - scores) * target + scores * (1 - target)
    entropy = functional.binary_cross_entropy(scores, target, reduction="none")
    return (miss**2 * entropy * weights).sum() / total.clamp(min=1e-8)


def loss(model: Model, batch: dict[str, Any], config: Any) -> Tensor:
    """The training loss of one video."""
    network = model.cls_module
    audio, visual, hidden = network.join(batch)
    kept = network.dropout(hidden)
    scores = _fuse(torch.sigmoid(network.classifier(kept).transpose(1, 2)))[0]
    logits = network.distribution(kept).transpose(1, 2)
    distribution = functional.softmax(model._top(logits).double(), 1)[0]
    cpc = _log_probability(audio, network.rev_fa(hidden)) + _log_probability(visual, network.rev_fv(hidden))
    points = np.concatenate([batch["points"], np.zeros((len(batch["points"]), 1), np.float32)], 1)
    seeds = search(scores.detach().numpy(), points, config.seed_threshold)
    terms = _terms(scores, torch.from_numpy(points), torch.from_numpy(seeds.foreground), seeds.background)
    video = functional.kl_div(distribution.log(), torch.from_numpy(batch["label_distribution"]).double()).float()
    weights = config.lambdas
    frames = (1 - weights[2]) * terms[0] + weights[2] * (terms[1] + terms[2])
    sign = 1 if config.cpc_sign == "code" else -1
    return weights[0] * video + weights[1] * frames + sign * weights[3] * cpc


def _terms(scores: Tensor, points: Tensor, foreground: Tensor, background: np.ndarray) -> list[Tensor]:
    """Frame loss, pseudo-label loss, background loss."""
    labelled = points.amax(1, keepdim=True)
    rows = torch.zeros_like(scores)
    rows[:, BACKGROUND] = 1
    learnt = torch.from_numpy(background)[:, None]
    high, low = (foreground > 0.5).float(), (foreground < 0.5).float()
    miss = (1 - scores) * high + scores * low
    entropy = functional.binary_cross_entropy(scores, foreground, reduction="none")
    pseudo = (miss**2 * entropy * foreground).sum() / foreground.amax(1).sum().clamp(min=1e-8)
    return [
        _focal(scores, points, labelled, labelled.sum()),
        0.5 * pseudo,
        _focal(scores, rows, learnt, learnt.sum()),
    ]
