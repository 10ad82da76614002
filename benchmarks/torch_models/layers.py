"""What VAANet and CTEN share: the 3-D ResNet, the ResNet-18 that hears, attention over places, their class loss."""
# N clips or pieces  C channels  T places  B videos  K classes

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

EXPANSION = 4


class Bottleneck(nn.Module):
    """Three 3-D convolutions and a short cut."""

    def __init__(self, inputs: int, width: int, stride: int, changes: bool) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1 = nn.Conv3d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.conv2 = nn.Conv3d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm3d(width)
        self.conv3 = nn.Conv3d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if changes:
            self.downsample = nn.Sequential(nn.Conv3d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm3d(outputs))

    def forward(self, clips: Tensor) -> Tensor:
        """Convolve."""
        inner = self.relu(self.bn1(self.conv1(clips)))
        inner = self.relu(self.bn2(self.conv2(inner)))
        inner = self.bn3(self.conv3(inner))
        return self.relu(inner + (clips if self.downsample is None else self.downsample(clips)))


def resnet3d(blocks: Sequence[int], width: int) -> nn.Sequential:
    """The 3-D ResNet without its classifier."""
    parts: list[nn.Module] = [
        nn.Conv3d(3, width, 7, (1, 2, 2), 3, bias=False),
        nn.BatchNorm3d(width),
        nn.ReLU(inplace=True),
        nn.MaxPool3d(3, 2, 1),
    ]
    inputs = width
    for stage, number in enumerate(blocks):
        inner = width * 2**stage
        first = Bottleneck(inputs, inner, 1 if stage == 0 else 2, True)
        inputs = EXPANSION * inner
        parts.append(nn.Sequential(first, *(Bottleneck(inputs, inner, 1, False) for _ in range(number - 1))))
    return nn.Sequential(*parts)


class BasicBlock(nn.Module):
    """Two 2-D convolutions and a short cut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, planes: Tensor) -> Tensor:
        """Convolve."""
        inner = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(planes)))))
        return self.relu(inner + (planes if self.downsample is None else self.downsample(planes)))


class PlaneMean(nn.Module):
    """The mean over height and width."""

    def forward(self, planes: Tensor) -> Tensor:
        """Average."""
        return planes.mean((2, 3))


def sound_resnet(width: int) -> nn.Sequential:
    """The ResNet-18 whose first convolution goes along time only."""
    parts: list[nn.Module] = [
        nn.Conv2d(1, width, (7, 1), (2, 1), (3, 0), bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    ]
    inputs = width
    for stage in range(4):
        outputs = width * 2**stage
        parts.append(nn.Sequential(BasicBlock(inputs, outputs, 1 + (stage > 0)), BasicBlock(outputs, outputs, 1)))
        inputs = outputs
    return nn.Sequential(*parts, PlaneMean())


def embedding(inputs: int, outputs: int) -> nn.Sequential:
    """Linear, normalised, tanh."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.Tanh())


class Attention(nn.Module):
    """(B, C, T) -> (B, T)."""

    def __init__(self, channels: int, places: int, has_bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(channels, 1, 1, bias=False), nn.BatchNorm1d(1), nn.Tanh())
        self.fc = nn.Linear(places, places, has_bias)

    def forward(self, sequence: Tensor) -> Tensor:
        """Weigh."""
        return self.fc(self.conv(sequence).squeeze(1))


def look(backbone: nn.Module, visual: np.ndarray, is_trained: bool) -> Tensor:
    """Feature maps of clips (B, S, 3, D, H, W), RGB 0..255; a frozen backbone keeps nothing for a way back."""
    clips = torch.from_numpy(visual.reshape((-1, *visual.shape[2:]))) / 255.0 - 100.0 / 255.0
    with torch.set_grad_enabled(is_trained and torch.is_grad_enabled()):
        return backbone(clips)


def cut(sound: np.ndarray, pieces: int) -> Tensor:
    """Sounds (B, R, M) in equal pieces of consecutive rows."""
    batch, rows, bands = sound.shape
    return torch.from_numpy(sound.reshape((batch * pieces, 1, rows // pieces, bands)))


def class_loss(logits: Tensor, batch: dict[str, Any], config: Any) -> Tensor:
    """Cross entropy, or VAANet's polarity-consistent one."""
    entropies = functional.cross_entropy(logits, torch.from_numpy(batch["label"]), reduction="none")
    if config.loss == "ce":
        return entropies.mean()
    found = logits.detach().numpy().argmax(1)
    is_positive = np.array([label.lower() in config.positive for label in batch["classes"]])
    weights = 1 + config.polarity_penalty * (is_positive[found] != is_positive[batch["label"]])
    return (entropies * torch.from_numpy(weights.astype(np.float32))).mean()
