"""VAANet in PyTorch, as a user of it would write it today."""

from typing import Any

from torch import Tensor, cat, nn
from torch.nn import functional

from benchmarks.torch_models.layers import Attention, class_loss, cut, embedding, look, resnet3d, sound_resnet


class Model(nn.Module):
    """VAANet."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        features, visual = 32 * config.backbone_width, config.visual_width
        positions = (-(-config.size // 32)) ** 2
        self.resnet = resnet3d(config.backbone_blocks, config.backbone_width)
        self.conv0 = nn.Sequential(nn.Conv1d(features, visual, 1), nn.BatchNorm1d(visual), nn.ReLU(inplace=True))
        self.sa_net = Attention(visual, positions, False)
        self.ta_net = Attention(visual, config.segments)
        self.cwa_net = Attention(positions, visual, False)
        self.fc = nn.Linear(visual, config.num_classes)
        self.a_resnet = sound_resnet(config.audio_width)
        self.a_fc = embedding(8 * config.audio_width, config.audio_embedding)
        self.aa_net = Attention(config.audio_embedding, config.sound_pieces)
        self.av_fc = nn.Linear(visual + config.audio_embedding, config.num_classes)

    def forward(self, batch: dict[str, Any]) -> Tensor:
        """Logits (B, K)."""
        videos, segments = batch["visual"].shape[:2]
        maps = look(self.resnet, batch["visual"], self.config.backbone == "trained")
        features = self.conv0(maps.flatten(2))
        spatial = functional.softmax(self.sa_net(features), 1)
        features = features * (spatial * spatial.shape[1]).unsqueeze(1)
        channel = functional.softmax(self.cwa_net(features.transpose(1, 2)), 1)
        clips = (features * (channel * channel.shape[1]).unsqueeze(2)).mean(2)
        clips = clips.reshape((videos, segments, -1)).transpose(1, 2)
        looked = (clips * functional.relu(self.ta_net(clips)).unsqueeze(1)).mean(2)
        pieces = self.a_fc(self.a_resnet(cut(batch["audio"], self.config.sound_pieces)))
        pieces = pieces.reshape((videos, self.config.sound_pieces, -1)).transpose(1, 2)
        heard = (pieces * functional.relu(self.aa_net(pieces)).unsqueeze(1)).mean(2)
        return self.av_fc(cat([looked, heard], 1))

    def parameters_to_train(self) -> list[list[Any]]:
        """One group: not the frozen backbone, not the unused classifier."""
        left_out = ("fc.", "resnet.") if self.config.backbone == "frozen" else ("fc.",)
        return [[var for name, var in self.named_parameters() if not name.startswith(left_out)]]


def loss(model: Model, batch: dict[str, Any], config: Any) -> Tensor:
    """The training loss."""
    return class_loss(model(batch), batch, config)
