"""VAANet: clips and sound, weighed in space, channels and time (VAANet paper, section 3; its repository, models/)."""
# B videos  S clips of a video  D pictures of a clip  H W height and width  P positions of a feature map
# V visual width  R rows of sound  M coefficients  T pieces of sound  A width of sound  K classes

from math import sqrt
from typing import Any

import jittor as jt
from jittor import nn

from jack_ray.methods.roles import Batch, Group, Pretrained
from jack_ray.methods.shared import resnet3d, sound_resnet
from jack_ray.methods.shared.attention import Attention, softmax_weights
from jack_ray.methods.shared.batchnorm import BatchNorm
from jack_ray.methods.shared.convolution import SequenceConvolution
from jack_ray.methods.shared.linear import Linear
from jack_ray.methods.vaanet.config import Config

HALVINGS = 5
"""What the 3-D ResNet does to height and width."""
UNUSED = "fc."
"""A classifier that is in the published state dict and nowhere else."""


class Model(nn.Module):
    """VAANet; its state dict has the published names and shapes (97,869,012 parameters at full width).

    The order of the attributes is that of the state dict.
    """

    def __init__(self, config: Config) -> None:
        visual, sound = config.visual_width, config.audio_embedding
        features = resnet3d.num_features(config.backbone_width)
        positions = resnet3d.reduced(config.size, HALVINGS) ** 2
        self.resnet = resnet3d.resnet3d(config.backbone_blocks, config.backbone_width)
        self.conv0 = nn.Sequential(SequenceConvolution((features, visual), 1), BatchNorm(visual, rectifies=True))
        self.sa_net = Attention(visual, positions, has_bias=False)
        self.ta_net = Attention(visual, config.segments)
        self.cwa_net = Attention(positions, visual, has_bias=False)
        self.fc = Linear(visual, config.num_classes)
        self.a_resnet = sound_resnet.sound_resnet(config.audio_width)
        self.a_fc = sound_resnet.embedding(sound_resnet.num_features(config.audio_width), sound)
        self.aa_net = Attention(sound, config.sound_pieces)
        self.av_fc = Linear(visual + sound, config.num_classes)
        self._config = config
        self._look = resnet3d.Look(self.resnet, config.backbone == "trained", config.freeze_bn)
        for first in (self.conv0[0], *(net.conv[0] for net in (self.sa_net, self.ta_net, self.cwa_net))):
            # Kaiming's with fan out, as in VAANet repository, models/visual_stream.py
            first.weight = jt.init.gauss(first.weight.shape, "float32", 0.0, sqrt(2 / first.weight.shape[0]))
        self.ta_net.fc.bias = jt.ones((config.segments,))

    def execute(self, batch: Batch) -> dict[str, Any]:
        """Logits and what the network attends to.

        batch: `visual` (B, S, 3, D, H, W), RGB 0..255, or `seen`, a `Seen` of each video; and `audio` (B, R, M),
        float32; none is changed. Returns `logits` (B, K); `spatial` (B, S, P) and `channel` (B, S, V), weights whose
        mean is 1; `gamma` (B, S), how much each clip counts, at least 0.
        """
        looked, weights = self._see(batch)
        logits = self.av_fc(jt.concat([looked, self._hear(batch)], 1))
        return {"logits": logits, **weights}

    def training_outputs(self, batch: Batch) -> dict[str, Any]:
        """What the loss needs: the same outputs, with the gradient's way back."""
        return self.execute(batch)

    def _see(self, batch: Batch) -> tuple[jt.Var, dict[str, jt.Var]]:
        """Features (B, V) of all clips of a video, and the weights."""
        maps = self._look.at(batch)
        videos, segments, channels = maps.shape[:3]
        features = self.conv0(maps.reshape((videos * segments, channels, -1)))
        spatial = softmax_weights(self.sa_net(features))
        features = features * spatial.unsqueeze(1)
        channel = softmax_weights(self.cwa_net(features.transpose(0, 2, 1)))
        clips = (features * channel.unsqueeze(2)).mean(2).reshape((videos, segments, -1)).transpose(0, 2, 1)
        gamma = nn.relu(self.ta_net(clips))
        weights = {
            "spatial": spatial.reshape((videos, segments, -1)),
            "channel": channel.reshape((videos, segments, -1)),
            "gamma": gamma,
        }
        return (clips * gamma.unsqueeze(1)).mean(2), weights

    def _hear(self, batch: Batch) -> jt.Var:
        """Features (B, A) of the sound."""
        pieces = self.a_resnet(sound_resnet.cut(batch["audio"], self._config.sound_pieces))
        pieces = self.a_fc(pieces).reshape((len(batch["audio"]), self._config.sound_pieces, -1)).transpose(0, 2, 1)
        return (pieces * nn.relu(self.aa_net(pieces)).unsqueeze(1)).mean(2)

    def frozen_identity(self) -> str:
        """A digest of what the 3-D ResNet's features follow from beside the clips; it must be frozen."""
        return self._look.identity()

    def groups(self) -> list[Group]:
        """All that is trained learns at the same rate: not the frozen backbone, and not the unused classifier."""
        left_out = (UNUSED,) if self._config.backbone == "trained" else (UNUSED, "resnet.")
        learnt = {name: var for name, var in self.state_dict().items() if "running_" not in name}
        return [Group({name: var for name, var in learnt.items() if not name.startswith(left_out)})]

    def pretrained(self) -> list[Pretrained]:
        """The 3-D ResNet from Kinetics and the ResNet-18 from ImageNet, where files of them are given."""
        return resnet3d.pretrained_parts(self.state_dict(), self._config.backbone_weights, self._config.audio_weights)
