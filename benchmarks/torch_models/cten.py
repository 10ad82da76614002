"""CTEN in PyTorch, as a user of it would write it today."""

from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.torch_models.layers import Attention, class_loss, cut, embedding, look, resnet3d, sound_resnet
from jack_ray.methods.cten.erasing import context_segments, key_segments, thresholds


class IntraModal(nn.Module):
    """A segment gathers from all segments of its stream."""

    def __init__(self, features: int, inner: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(1))
        self.theta = nn.Linear(features, inner)
        self.phi = nn.Linear(features, inner)
        self.g = nn.Linear(features, inner)
        self.out = nn.Linear(inner, features)
        self.bn = nn.BatchNorm1d(features)

    def forward(self, segments: Tensor) -> Tensor:
        """Gather."""
        likeness = torch.bmm(self.theta(segments), self.phi(segments).transpose(1, 2)) / sqrt(self.g.out_features)
        gathered = self.out(torch.bmm(functional.softmax(likeness, 2), self.g(segments)))
        return self.bn(gathered.flatten(0, 1)).reshape(gathered.shape) + self.alpha * segments


class InterModal(nn.Module):
    """The segments of one stream gather from the other's, by several heads."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear_q = nn.Linear(features, features)
        self.linear_k = nn.Linear(features, features)
        self.linear_v = nn.Linear(features, features)
        self.linear_o = nn.Linear(features, features)

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        """Gather."""
        query, key, value = (
            functional.relu(layer(segments)).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer, segments in ((self.linear_q, asking), (self.linear_k, asked), (self.linear_v, asked))
        )
        gathered = functional.scaled_dot_product_attention(query, key, value)
        return functional.relu(self.linear_o(gathered.transpose(1, 2).flatten(2)))


class Model(nn.Module):
    """CTEN."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        features = 32 * config.backbone_width
        self.a_resnet = sound_resnet(config.audio_width)
        self.a_fc = embedding(8 * config.audio_width, features)
        self.resnet = resnet3d(config.backbone_blocks, config.backbone_width)
        self.nl = nn.Sequential(IntraModal(features, config.intra_width))
        self.nl_a = nn.Sequential(IntraModal(features, config.intra_width))
        self.v2a_attn = InterModal(features, config.heads)
        self.a2v_attn = InterModal(features, config.heads)
        self.ta_net = Attention(2 * features, config.segments)
        self.fc = nn.Linear(2 * features, config.num_classes)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Logits (B, K) and attention (B, S)."""
        videos, segments = batch["visual"].shape[:2]
        maps = look(self.resnet, batch["visual"], self.config.backbone == "trained")
        seen = maps.mean((2, 3, 4)).reshape((videos, segments, -1))
        heard = self.a_fc(self.a_resnet(cut(batch["audio"], segments))).reshape((videos, segments, -1))
        video, sound = self.nl(seen), self.nl_a(heard)
        from_video, from_sound = self.v2a_attn(sound, video), self.a2v_attn(video, sound)
        both = torch.cat([video + from_video, sound + from_sound], 2).transpose(1, 2)
        gamma = functional.relu(self.ta_net(both))
        return self.fc(self.dropout((both * gamma.unsqueeze(1)).mean(2))), gamma

    def parameters_to_train(self) -> list[list[Any]]:
        """One group: not the frozen backbone."""
        left_out = ("resnet.",) if self.config.backbone == "frozen" else ()
        return [[var for name, var in self.named_parameters() if not name.startswith(left_out)]]


def loss(model: Model, batch: dict[str, Any], config: Any) -> Tensor:
    """The training loss: of a video, of its context, of its key segments."""
    logits, attention = model(batch)
    total = class_loss(logits, batch, config)
    if config.erasing == "none":
        return total
    gamma = attention.detach().numpy()
    limits = thresholds(gamma, config.erasing_threshold)
    passes = [context_segments(gamma, limits), key_segments(gamma, limits)]
    for kept in passes[: 1 if config.erasing == "two_pass" else 2]:
        items = zip(batch["videos"], kept, batch["seeds"], strict=True)
        visual = np.stack([video.redraw(segments, int(seed)) for video, segments, seed in items])
        total = total + class_loss(model({**batch, "visual": visual})[0], batch, config)
    return total / 3 if config.erasing_scale == "third" else total
