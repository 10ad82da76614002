"""CTEN: clips and sound of a video's segments, which learn from each other (CTEN paper, section 3)."""
# B videos  S segments of a video  D pictures of a clip  H W height and width  R rows of a piece of sound
# M mel bands  C features of a stream  K classes

from typing import Any

import jittor as jt
from jittor import nn

from jack_ray.methods.cten.attention import InterModal, IntraModal
from jack_ray.methods.cten.config import Config
from jack_ray.methods.roles import Batch, Group, Pretrained
from jack_ray.methods.shared import resnet3d, sound_resnet
from jack_ray.methods.shared.attention import Attention
from jack_ray.methods.shared.dropout import dropout_mask
from jack_ray.methods.shared.linear import Linear


class Model(nn.Module):
    """CTEN; its state dict has the published names and shapes (135,283,484 parameters at full width).

    The order of the attributes is that of the state dict.
    """

    def __init__(self, config: Config) -> None:
        features = resnet3d.num_features(config.backbone_width)
        self.a_resnet = sound_resnet.sound_resnet(config.audio_width)
        self.a_fc = sound_resnet.embedding(sound_resnet.num_features(config.audio_width), features)
        self.resnet = resnet3d.resnet3d(config.backbone_blocks, config.backbone_width)
        self.nl = nn.Sequential(IntraModal(features, config.intra_width))
        self.nl_a = nn.Sequential(IntraModal(features, config.intra_width))
        self.v2a_attn = InterModal(features, config.heads)
        self.a2v_attn = InterModal(features, config.heads)
        self.ta_net = Attention(2 * features, config.segments)
        self.fc = Linear(2 * features, config.num_classes)
        self._config = config
        # The published average pooling spans the whole map.
        self._look = resnet3d.Look(self.resnet, config.backbone == "trained", config.freeze_bn, pools=True)

    def execute(self, batch: Batch) -> dict[str, Any]:
        """Logits (B, K) and `gamma` (B, S), how much each segment counts, at least 0.

        batch: `visual` (B, S, 3, D, H, W), RGB 0..255, or `seen`, a `Seen` of each video; and `audio` (B, S * R, M),
        float32; none is changed.
        """
        joint, gamma = self._joint(batch)
        return {"logits": self.fc(joint), "gamma": gamma}

    def training_outputs(self, batch: Batch, number: int) -> dict[str, Any]:
        """The same with dropout. `batch["seeds"]` (B,) and the number of the pass decide what is dropped."""
        joint, gamma = self._joint(batch)
        share = self._config.dropout
        if share:
            joint = joint * jt.array(dropout_mask(batch["seeds"], number, joint.shape[1], share))
        return {"logits": self.fc(joint), "gamma": gamma}

    def _joint(self, batch: Batch) -> tuple[jt.Var, jt.Var]:
        """Features of the whole video, (B, 2C), and the attention (B, S)."""
        video, sound = self.nl(self._see(batch)), self.nl_a(self._hear(batch))
        from_video, from_sound = self.v2a_attn(sound, video), self.a2v_attn(video, sound)
        both = jt.concat([video + from_video, sound + from_sound], 2).transpose(0, 2, 1)
        gamma = nn.relu(self.ta_net(both))
        return (both * gamma.unsqueeze(1)).mean(2), gamma

    def _see(self, batch: Batch) -> jt.Var:
        return self._look.at(batch)

    def _hear(self, batch: Batch) -> jt.Var:
        pieces = self.a_fc(self.a_resnet(sound_resnet.cut(batch["audio"], self._config.segments)))
        return pieces.reshape((len(batch["audio"]), self._config.segments, -1))

    def frozen_identity(self) -> str:
        """A digest of what the 3-D ResNet's features follow from beside the clips; it must be frozen."""
        return self._look.identity()

    def groups(self) -> list[Group]:
        """Everything that is trained learns at the same rate: not the frozen backbone."""
        left_out = () if self._config.backbone == "trained" else ("resnet.",)
        learnt = {name: var for name, var in self.state_dict().items() if "running_" not in name}
        return [Group({name: var for name, var in learnt.items() if not name.startswith(left_out)})]

    def pretrained(self) -> list[Pretrained]:
        """The 3-D ResNet from Kinetics and the ResNet-18 from ImageNet, where files of them are given."""
        return resnet3d.pretrained_parts(self.state_dict(), self._config.backbone_weights, self._config.audio_weights)
