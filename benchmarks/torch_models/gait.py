"""BPM-GCN in PyTorch, as a user of it would write it today."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from jack_ray.methods.gait.skeleton import NUM_GRAPHS, NUM_JOINTS, adjacency

CHANNELS = {"p": 3, "m": 8}


class GraphUnit(nn.Module):
    """Joints learn from joints."""

    def __init__(self, channels: tuple[int, int], inner_share: int) -> None:
        super().__init__()
        inputs, outputs = channels
        inner = outputs // inner_share
        self.PA = nn.Parameter(torch.full((NUM_GRAPHS, NUM_JOINTS, NUM_JOINTS), 1e-6))
        self.conv_a = nn.ModuleList(nn.Conv2d(inputs, inner, 1) for _ in range(NUM_GRAPHS))
        self.conv_b = nn.ModuleList(nn.Conv2d(inputs, inner, 1) for _ in range(NUM_GRAPHS))
        self.conv_d = nn.ModuleList(nn.Conv2d(inputs, outputs, 1) for _ in range(NUM_GRAPHS))
        self.down = None
        if inputs != outputs:
            self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs))
        self.bn = nn.BatchNorm2d(outputs)
        self.register_buffer("fixed", torch.as_tensor(adjacency(), dtype=torch.float32), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve along the graphs, one after the other, as the published code does."""
        batch, channels, frames, joints = features.shape
        graphs = self.fixed + self.PA
        joined: Any = 0
        for graph, conv_a, conv_b, conv_d in zip(graphs, self.conv_a, self.conv_b, self.conv_d, strict=True):
            left = conv_a(features).permute(0, 3, 1, 2).reshape((batch, joints, -1))
            right = conv_b(features).reshape((batch, -1, joints))
            learnt = torch.softmax(torch.matmul(left, right) / left.shape[2], 1) + graph
            handed = torch.matmul(features.reshape((batch, channels * frames, joints)), learnt)
            joined = joined + conv_d(handed.reshape((batch, channels, frames, joints)))
        return functional.relu(self.bn(joined) + (features if self.down is None else self.down(features)))


class TemporalUnit(nn.Module):
    """Convolution over time and normalisation."""

    def __init__(self, channels: tuple[int, int], kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(*channels, (kernel, 1), (stride, 1), (kernel // 2, 0))
        self.bn = nn.BatchNorm2d(channels[1])

    def forward(self, features: Tensor) -> Tensor:
        """Convolve."""
        return self.bn(self.conv(features))


class Block(nn.Module):
    """A graph unit, a temporal unit, a short cut."""

    def __init__(self, channels: tuple[int, int], stride: int, is_first: bool, config: Any) -> None:
        super().__init__()
        self.gcn1 = GraphUnit(channels, config.inner_share)
        self.tcn1 = TemporalUnit((channels[1], channels[1]), config.temporal_kernel, stride)
        self.residual = None
        if not is_first and (channels[0] != channels[1] or stride != 1):
            self.residual = TemporalUnit(channels, 1, stride)
        self.is_first = is_first

    def forward(self, features: Tensor) -> Tensor:
        """Convolve."""
        moved = self.tcn1(self.gcn1(features))
        if self.is_first:
            return functional.relu(moved)
        return functional.relu(moved + (features if self.residual is None else self.residual(features)))


class Attention(nn.Module):
    """Weights in 0..1 for the entries of an axis."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(number, number, 1, bias=False)
        self.fc2 = nn.Conv2d(number, number, 1, bias=False)

    def forward(self, averages: Tensor) -> Tensor:
        """Weigh."""
        return torch.sigmoid(self.fc2(functional.relu(self.fc1(averages[:, :, None, None]))))[:, :, 0, 0]


class Fusion(nn.Module):
    """The streams exchange features."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.att_T_p = Attention(frames)
        self.att_N_p = Attention(NUM_JOINTS)
        self.att_T_m = Attention(frames)
        self.att_N_m = Attention(NUM_JOINTS)

    def forward(self, posture: Tensor, movement: Tensor) -> tuple[Tensor, Tensor]:
        """Exchange."""
        of_posture = _time_weights(posture, self.att_N_p, self.att_T_p)
        of_movement = _time_weights(movement, self.att_N_m, self.att_T_m)
        posture = posture + movement * of_movement
        return posture, movement + posture * of_posture


def _time_weights(features: Tensor, joints: Attention, time: Attention) -> Tensor:
    means = features.mean(1)
    weighted = means * joints(means.mean(1)).unsqueeze(1)
    return time(weighted.mean(2)).unsqueeze(1).unsqueeze(3)


class Model(nn.Module):
    """BPM-GCN."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        ends = [1 + sum(config.blocks[:stage]) for stage in range(len(config.blocks) + 1)]
        self.stages = [range(start, end) for start, end in pairwise(ends)]
        self.data_bn_p = nn.BatchNorm1d(CHANNELS["p"] * NUM_JOINTS)
        self.data_bn_m = nn.BatchNorm1d(CHANNELS["m"] * NUM_JOINTS)
        for stage, places in enumerate(self.stages):
            for place in places:
                is_entry = stage > 0 and place == places.start
                for stream, inputs in CHANNELS.items():
                    before = inputs if place == 1 else config.widths[stage - 1 if is_entry else stage]
                    channels = (before, config.widths[stage])
                    setattr(self, f"l{place}_{stream}", Block(channels, 1 + is_entry, place == 1, config))
        frames = config.frames
        for stage in range(len(config.blocks)):
            setattr(self, f"fusion{stage + 1}", Fusion(frames))
            frames = (frames + 1) // 2
        self.fc1_classifier_p = nn.Linear(config.widths[-1], len(config.labels))
        self.fc1_classifier_m = nn.Linear(config.widths[-1], len(config.labels))
        self.fc2_aff = nn.Linear(config.widths[-1], config.affective_features * config.frames)

    def forward(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of posture and of movement, affective features."""
        posture = _normalised(torch.from_numpy(batch["posture"]), self.data_bn_p)
        movement = _normalised(torch.from_numpy(batch["movement"]), self.data_bn_m)
        for stage, places in enumerate(self.stages, start=1):
            for place in places:
                posture = getattr(self, f"l{place}_p")(posture)
                movement = getattr(self, f"l{place}_m")(movement)
            posture, movement = getattr(self, f"fusion{stage}")(posture, movement)
        posture, movement = posture.mean((2, 3)), movement.mean((2, 3))
        return self.fc1_classifier_p(posture), self.fc1_classifier_m(movement), self.fc2_aff(posture)

    def parameters_to_train(self) -> list[list[Any]]:
        """One group."""
        return [list(self.parameters())]


def _normalised(gaits: Tensor, norm: nn.Module) -> Tensor:
    batch, channels, frames, joints = gaits.shape
    flat = gaits.permute(0, 3, 1, 2).reshape((batch, joints * channels, frames))
    return norm(flat).reshape((batch, joints, channels, frames)).permute(0, 2, 3, 1).contiguous()


def loss(model: Model, batch: dict[str, Any], config: Any) -> Tensor:
    """The training loss."""
    posture, movement, affective = model(batch)
    targets = torch.from_numpy(batch["targets"])
    entropies = [-(targets * functional.log_softmax(logits, 1)).sum(1).mean() for logits in (movement, posture)]
    difference = functional.mse_loss(affective, torch.from_numpy(batch["affective"]))
    return config.lambdas[0] * entropies[0] + config.lambdas[1] * entropies[1] + config.lambdas[2] * difference
