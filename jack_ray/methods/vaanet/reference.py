"""The published VAANet in numbers: what the golden files were made with.

Not a second set of defaults: what is trained is said in conf/. A test holds the two against each other.
"""

from jack_ray.contract.schema import TrainConfig
from jack_ray.methods.vaanet.config import Config

CLASSES = ("Anger", "Anticipation", "Disgust", "Fear", "Joy", "Sadness", "Surprise", "Trust")

MODEL = Config(
    name="vaanet",
    num_classes=8,
    segments=12,
    clip_frames=16,
    size=112,
    backbone_blocks=(3, 4, 23, 3),
    backbone_width=64,
    backbone="frozen",
    freeze_bn=False,
    backbone_weights=None,
    audio_width=64,
    audio_weights=None,
    loss="pcce",
    polarity_penalty=0.5,
    positive=("anticipation", "joy", "surprise", "trust"),
    negative=("anger", "disgust", "fear", "sadness"),
    visual_width=512,
    sound_rate_hz=44100,
    mfcc=32,
    sound_rows=4096,
    sound_pieces=16,
    audio_embedding=256,
)

STEPS_PER_EPOCH = 22
"""731 videos of VideoEmotion-8's published split in batches of 32, the remainder left out."""

TRAIN = TrainConfig(
    optimizer="adam",
    lr=2e-4,
    schedule="constant",
    milestones=(),
    gamma=0.1,
    warmup_steps=0,
    betas=(0.9, 0.999),
    eps=1e-8,
    momentum=0.0,
    nesterov=False,
    weight_decay=0.0,
    clip_norm=None,
    batch=32,
    parts=1,
    kernels="auto",
    precision="float32",
    steps=STEPS_PER_EPOCH * 100,
    evaluate_every=STEPS_PER_EPOCH,
    select_on="test",
    metric="accuracy",
    mode="max",
    test_at_end=True,
    seed=1,
    on_unreadable="stop",
    weights=None,
    checkpoint_every=STEPS_PER_EPOCH,
    keep_checkpoints=1,
    log_every=1,
    prefetch=64,
    workers=8,
)
"""VAANet repository, opts.py; the paper's protocol."""
