"""BPM-GCN: the emotion of a walking person from posture and movement (BPM-GCN paper, section 4)."""
# B gaits  C channels  O output channels  T frames  V joints  K classes  F affective features

from itertools import pairwise
from math import sqrt
from typing import Any

import jittor as jt
from jittor import nn

from jack_ray.contract.errors import TrainError
from jack_ray.methods.gait.config import Config
from jack_ray.methods.gait.graph_product import affinity, spread
from jack_ray.methods.gait.skeleton import NUM_GRAPHS, NUM_JOINTS, adjacency
from jack_ray.methods.roles import Batch, Group, Pretrained
from jack_ray.methods.shared.batchnorm import BatchNorm
from jack_ray.methods.shared.convolution import convolve, initial_weight

POSTURE_CHANNELS = 3
"""x, y, z."""
MOVEMENT_CHANNELS = 8
"""Velocity and its norm, acceleration and its norm."""

SLIGHT = 1e-6
"""What the learnt part of the graphs, and the scale of a graph unit, start from: a unit begins as its short cut."""


class Convolution(nn.Module):
    """(B, C, T, V) -> (B, O, T', V) over time; initial weights as in BPM-GCN (Kaiming, fan out), bias 0."""

    def __init__(self, channels: tuple[int, int], kernel: int = 1, stride: int = 1, std: float | None = None) -> None:
        inputs, outputs = channels
        spread_of = sqrt(2 / (outputs * kernel)) if std is None else std
        self.weight = jt.init.gauss((outputs, inputs, kernel, 1), "float32", 0.0, spread_of)
        self.bias = jt.zeros((outputs,))
        self._stride = stride
        self._padding = kernel // 2

    def execute(self, features: jt.Var) -> jt.Var:
        """Convolve."""
        return convolve(features, self.weight, self.bias, (self._stride, 1), (self._padding, 0))


class Linear(nn.Module):
    """(B, C) -> (B, O); weights normal with sqrt(2 / O) as in BPM-GCN, biases as in PyTorch."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.weight = jt.init.gauss((outputs, inputs), "float32", 0.0, sqrt(2 / outputs))
        self.bias = initial_weight((outputs,), inputs)

    def execute(self, features: jt.Var) -> jt.Var:
        """Multiply and add."""
        return nn.matmul_transpose(features, self.weight) + self.bias


class GraphUnit(nn.Module):
    """Joints learn from joints, along fixed, learnt and data-dependent edges: (B, C, T, V) -> (B, O, T, V).

    The fixed graphs are constants: neither trained nor part of the state dict.
    """

    def __init__(self, channels: tuple[int, int], inner_share: int) -> None:
        inputs, outputs = channels
        inner = (inputs, outputs // inner_share)
        std = sqrt(2 / (outputs * inputs * NUM_GRAPHS))
        self.PA = jt.full((NUM_GRAPHS, NUM_JOINTS, NUM_JOINTS), SLIGHT)
        self.conv_a = nn.ModuleList([Convolution(inner) for _ in range(NUM_GRAPHS)])
        self.conv_b = nn.ModuleList([Convolution(inner) for _ in range(NUM_GRAPHS)])
        self.conv_d = nn.ModuleList([Convolution(channels, std=std) for _ in range(NUM_GRAPHS)])
        self.down = nn.Sequential(Convolution(channels), BatchNorm(outputs)) if inputs != outputs else None
        self.bn = BatchNorm(outputs, rectifies=True)
        self.bn.weight = jt.full((outputs,), SLIGHT)
        self._fixed = adjacency()

    def execute(self, features: jt.Var) -> jt.Var:
        """Convolve along the graphs."""
        batch, channels, frames, joints = features.shape
        graphs = self.attention(features) + (jt.array(self._fixed) + self.PA).unsqueeze(0)
        handed = spread(features.reshape((batch, channels * frames, joints)), graphs)
        handed = handed.reshape((batch, NUM_GRAPHS * channels, frames, joints))
        # One convolution of all three graphs' features: the sum over graphs is part of the sum over channels.
        weight = jt.concat([one.weight for one in self.conv_d], 1)
        bias = self.conv_d[0].bias + self.conv_d[1].bias + self.conv_d[2].bias
        return self.bn(convolve(handed, weight, bias), features if self.down is None else self.down(features))

    def attention(self, features: jt.Var) -> jt.Var:
        """How much each joint (column) takes from each other (row), by graph: (B, 3, V, V); columns add up to 1."""
        batch, joints = features.shape[0], features.shape[3]
        parts = [*self.conv_a, *self.conv_b]
        weight, bias = jt.concat([one.weight for one in parts], 0), jt.concat([one.bias for one in parts], 0)
        both = convolve(features, weight, bias).reshape((batch, 2 * NUM_GRAPHS, -1, joints))
        return nn.softmax(affinity(both) / both.shape[2], 2)


class TemporalUnit(nn.Module):
    """Convolution over time and normalisation: (B, C, T, V) -> (B, O, T / stride, V)."""

    def __init__(self, channels: tuple[int, int], kernel: int, stride: int, rectifies: bool = False) -> None:
        self.conv = Convolution(channels, kernel, stride)
        self.bn = BatchNorm(channels[1], rectifies=rectifies)

    def execute(self, features: jt.Var, short_cut: jt.Var | None = None) -> jt.Var:
        """Convolve, normalise, add the short cut, rectify."""
        return self.bn(self.conv(features), short_cut)


class Block(nn.Module):
    """A graph unit, a temporal unit and a short cut past both, which the first block has not."""

    def __init__(self, channels: tuple[int, int], stride: int, is_first: bool, config: Config) -> None:
        self.gcn1 = GraphUnit(channels, config.inner_share)
        self.tcn1 = TemporalUnit((channels[1], channels[1]), config.temporal_kernel, stride, rectifies=True)
        changes = not is_first and (channels[0] != channels[1] or stride != 1)
        self.residual = TemporalUnit(channels, 1, stride) if changes else None
        self._is_first = is_first

    def execute(self, features: jt.Var) -> jt.Var:
        """(B, C, T, V) -> (B, O, T / stride, V)."""
        moved = self.gcn1(features)
        if self._is_first:
            return self.tcn1(moved)
        return self.tcn1(moved, features if self.residual is None else self.residual(features))


class Attention(nn.Module):
    """Weights in 0..1 for the entries of an axis, from their averages: (B, n) -> (B, n)."""

    def __init__(self, number: int) -> None:
        self.fc1 = Unbiased(number)
        self.fc2 = Unbiased(number)

    def execute(self, averages: jt.Var) -> jt.Var:
        """Weigh."""
        return jt.sigmoid(self.fc2(nn.relu(self.fc1(averages))))


class Unbiased(nn.Module):
    """A published 1x1 convolution without bias on a 1x1 image, which is a matrix product; PyTorch's initial weights."""

    def __init__(self, number: int) -> None:
        self.weight = initial_weight((number, number, 1, 1), number)

    def execute(self, values: jt.Var) -> jt.Var:
        """(B, n) -> (B, n)."""
        return nn.matmul_transpose(values, self.weight.reshape(self.weight.shape[:2]))


class Fusion(nn.Module):
    """The streams exchange features, more in frames that matter (BPM-GCN paper, section 4.3)."""

    def __init__(self, frames: int) -> None:
        self.att_T_p = Attention(frames)
        self.att_N_p = Attention(NUM_JOINTS)
        self.att_T_m = Attention(frames)
        self.att_N_m = Attention(NUM_JOINTS)

    def execute(self, posture: jt.Var, movement: jt.Var) -> tuple[jt.Var, jt.Var]:
        """Posture and movement, each (B, C, T, V); the movement stream gets the posture as already updated."""
        of_posture = _time_weights(posture, self.att_N_p, self.att_T_p)
        of_movement = _time_weights(movement, self.att_N_m, self.att_T_m)
        posture = posture + movement * of_movement
        return posture, movement + posture * of_posture


def _time_weights(features: jt.Var, joints: Attention, time: Attention) -> jt.Var:
    """(B, 1, T, 1): the weights of frames, from features whose joints are weighted."""
    means = features.mean(1)
    weighted = means * joints(means.mean(1)).unsqueeze(1)
    return time(weighted.mean(2)).unsqueeze(1).unsqueeze(3)


class Model(nn.Module):
    """BPM-GCN; its state dict has the published names and shapes (7,287,192 parameters at full width)."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stages = _stages(config)
        self.data_bn_p = BatchNorm(POSTURE_CHANNELS * NUM_JOINTS)
        self.data_bn_m = BatchNorm(MOVEMENT_CHANNELS * NUM_JOINTS)
        inputs = {"p": POSTURE_CHANNELS, "m": MOVEMENT_CHANNELS}
        number = sum(config.blocks)
        # The published order: the first blocks of both streams, then one stream after the other.
        for stream, first, last in (("p", 1, 1), ("m", 1, 1), ("p", 2, number), ("m", 2, number)):
            for place in range(first, last + 1):
                setattr(self, f"l{place}_{stream}", _block(place, inputs[stream], config))
        frames = config.frames
        for stage in range(len(config.blocks)):
            setattr(self, f"fusion{stage + 1}", Fusion(frames))
            frames = (frames + 1) // 2
        self.fc1_classifier_p = Linear(config.widths[-1], len(config.labels))
        self.fc1_classifier_m = Linear(config.widths[-1], len(config.labels))
        self.fc2_aff = Linear(config.widths[-1], config.affective_features * config.frames)

    def execute(self, batch: Batch) -> dict[str, Any]:
        """What evaluation needs: `logits` (B, K), the mean of both streams', and `joints` (B, V, K).

        batch: `posture` (B, 3, T, V) and `movement` (B, 8, T, V), float32. `joints`: what each joint adds to each
        logit; their sum over joints is the logit without its bias.
        """
        posture, movement = self.streams(batch)
        streams = ((posture, self.fc1_classifier_p), (movement, self.fc1_classifier_m))
        logits = sum(head(features.mean((2, 3))) for features, head in streams) / 2
        parts = [jt.matmul(features.mean(2).transpose(0, 2, 1), head.weight.transpose()) for features, head in streams]
        return {"logits": logits, "joints": (parts[0] + parts[1]) / (2 * NUM_JOINTS)}

    def training_outputs(self, batch: Batch) -> dict[str, jt.Var]:
        """What the loss needs: `posture_logits` and `movement_logits` (B, K), `affective` (B, F * T)."""
        posture, movement = (features.mean((2, 3)) for features in self.streams(batch))
        return {
            "posture_logits": self.fc1_classifier_p(posture),
            "movement_logits": self.fc1_classifier_m(movement),
            "affective": self.fc2_aff(posture),
        }

    def streams(self, batch: Batch) -> tuple[jt.Var, jt.Var]:
        """The last features of posture and movement, each (B, C, T / 4, V). Raises TrainError for another shape."""
        _check_shapes(batch, self._config)
        posture = _normalised(jt.array(batch["posture"]), self.data_bn_p)
        movement = _normalised(jt.array(batch["movement"]), self.data_bn_m)
        for stage, places in enumerate(self._stages, start=1):
            for place in places:
                posture = getattr(self, f"l{place}_p")(posture)
                movement = getattr(self, f"l{place}_m")(movement)
            posture, movement = getattr(self, f"fusion{stage}")(posture, movement)
        return posture, movement

    def groups(self) -> list[Group]:
        """Everything learns at the same rate."""
        return [Group({name: var for name, var in self.state_dict().items() if "running_" not in name})]

    def pretrained(self) -> list[Pretrained]:
        """None: gaits are learnt from the start."""
        return []


def _stages(config: Config) -> list[range]:
    """The places of each stage's blocks, counted from 1."""
    ends = [1 + sum(config.blocks[:stage]) for stage in range(len(config.blocks) + 1)]
    return [range(start, end) for start, end in pairwise(ends)]


def _block(place: int, inputs: int, config: Config) -> Block:
    stage = next(stage for stage, places in enumerate(_stages(config)) if place in places)
    is_entry = stage > 0 and place == _stages(config)[stage].start
    before = inputs if place == 1 else config.widths[stage - 1 if is_entry else stage]
    return Block((before, config.widths[stage]), 2 if is_entry else 1, place == 1, config)


def _normalised(gaits: jt.Var, norm: BatchNorm) -> jt.Var:
    """Each coordinate of each joint normalised by itself: (B, C, T, V) -> the same."""
    batch, channels, frames, joints = gaits.shape
    flat = gaits.transpose(0, 3, 1, 2).reshape((batch, joints * channels, frames))
    return norm(flat).reshape((batch, joints, channels, frames)).transpose(0, 2, 3, 1)


def _check_shapes(batch: Batch, config: Config) -> None:
    for stream, channels in (("posture", POSTURE_CHANNELS), ("movement", MOVEMENT_CHANNELS)):
        expected = (channels, config.frames, NUM_JOINTS)
        found = tuple(batch[stream].shape[1:])
        if found != expected:
            raise TrainError(
                f"{stream} has shape {found} for a gait; BPM-GCN takes {expected}: channels, frames (model.frames), "
                "joints."
            )
