"""The published BPM-GCN in numbers: what the golden files were made with.

Not a second set of defaults: what is trained is said in conf/. A test holds the two against each other.
"""

from jack_ray.contract.schema import TrainConfig
from jack_ray.methods.gait.config import Config

MODEL = Config(
    name="gait",
    labels=("Happy", "Sad", "Angry", "Neutral"),
    multi_label=False,
    frames=48,
    widths=(64, 128, 256),
    blocks=(4, 3, 3),
    inner_share=4,
    temporal_kernel=9,
    affective_features=31,
    lambdas=(1.0, 1.0, 1.0),
)

STEPS_PER_EPOCH = 61
"""1,959 gaits in batches of 32, the remainder left out."""

TRAIN = TrainConfig(
    optimizer="sgd",
    lr=0.075,
    schedule="multistep",
    milestones=tuple(STEPS_PER_EPOCH * epoch for epoch in (25, 50, 75, 100)),
    gamma=0.1,
    warmup_steps=0,
    betas=(0.9, 0.999),
    eps=1e-8,
    momentum=0.9,
    nesterov=True,
    weight_decay=1e-3,
    clip_norm=None,
    batch=32,
    parts=1,
    kernels="auto",
    precision="float32",
    steps=STEPS_PER_EPOCH * 125,
    evaluate_every=STEPS_PER_EPOCH,
    select_on="test",
    metric="accuracy",
    mode="max",
    test_at_end=True,
    seed=4,
    on_unreadable="stop",
    weights=None,
    checkpoint_every=STEPS_PER_EPOCH,
    keep_checkpoints=1,
    log_every=1,
    prefetch=64,
    workers=1,
)
"""config/EGait_journal/train_diff_combine_double_score_fagg.yaml; the paper has lr 0.01, /10 every 30 of 80 epochs."""
