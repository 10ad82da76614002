"""The published CTEN in numbers: what the golden files were made with.

Not a second set of defaults: what is trained is said in conf/. A test holds the two against each other.
"""

from jack_ray.contract.schema import TrainConfig
from jack_ray.methods.cten.config import Config

CLASSES = ("Anger", "Anticipation", "Disgust", "Fear", "Joy", "Sadness", "Surprise", "Trust")

MODEL = Config(
    name="cten",
    num_classes=8,
    segments=16,
    clip_frames=16,
    size=112,
    backbone_blocks=(3, 4, 23, 3),
    backbone_width=64,
    backbone="frozen",
    freeze_bn=False,
    backbone_weights=None,
    audio_width=64,
    audio_weights=None,
    loss="ce",
    polarity_penalty=0.5,
    positive=("anticipation", "joy", "surprise", "trust"),
    negative=("anger", "disgust", "fear", "sadness"),
    mel_bands=128,
    piece_rows=100,
    sound_mean=-6.6268077,
    sound_scale=2 * 5.358466,
    intra_width=256,
    heads=8,
    dropout=0.2,
    erasing="three_pass",
    erasing_scale="sum",
    erasing_threshold=0.7,
    tious=(0.1, 0.2, 0.3, 0.4, 0.5),
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
    weight_decay=5e-4,
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
"""WECL repository, opts.py; the paper has no weight decay and says mini-batch SGD."""
