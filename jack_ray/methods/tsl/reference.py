"""The published TSL-Net in numbers, as in TSL300's code: what the golden files were made with.

Not a second set of defaults: what is trained is said in conf/. A test holds the two against each other.
"""

from jack_ray.contract.schema import TrainConfig
from jack_ray.methods.tsl.config import Config

MODEL = Config(
    name="tsl",
    rgb_width=1024,
    mel_bands=60,
    mel_frames=32,
    audio_widths=(64, 256, 512),
    aligned_width=512,
    hidden_width=2048,
    reconstruction_layers=4,
    max_snippets=4000,
    audio_chunk=600,
    joined_snippets=384,
    dropout=0.7,
    top_share=8,
    audio_rate=10.0,
    i3d_weights=None,
    lambdas=(2.0, 1.0, 0.5, 1.0),
    seed_threshold=0.95,
    cpc_sign="code",
    class_threshold=0.5,
    upsampling=24,
    class_thresholds=(0.0, 0.25, 0.025),
    agnostic_thresholds=(0.4, 0.75, 0.025),
    outer_share=0.03,
    video_score_weight=0.3,
    nms_iou=0.5,
    nms_extra_s=1.0,
    tious=(0.1, 0.15, 0.2, 0.25, 0.3),
    swap_class_report=False,
)

SNIPPET_FRAMES = 16
"""Video frames of a snippet."""

TRAIN = TrainConfig(
    optimizer="adam",
    lr=1e-5,
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
    batch=16,
    parts=1,
    kernels="auto",
    precision="float32",
    steps=2000,
    evaluate_every=100,
    select_on="test",
    metric="average_mAP",
    mode="max",
    test_at_end=True,
    seed=123,
    on_unreadable="stop",
    weights=None,
    checkpoint_every=100,
    keep_checkpoints=1,
    log_every=1,
    prefetch=8,
    workers=1,
)
