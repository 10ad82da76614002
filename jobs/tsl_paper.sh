#!/usr/bin/env bash
# TSL-Net on TSL-300 as its authors' code trains it, the checkpoint chosen on the test videos as theirs is.
# Needs: the TSL-300 features in data/VideoSenti (the authors give them on request).
# How long, and the number: not measured here, for lack of the features.
# The number to compare with: average mAP 20.40 % (paper), 19.85 % (the published checkpoint), both on the test videos.
set -euo pipefail
cd "$(dirname "$0")/.."
python -m jack_ray.launch model=tsl model.cpc_sign=code model.swap_class_report=true train.select_on=test data.val_fraction=0
