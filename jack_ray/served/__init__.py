"""What a registered model runs with. A copy of it goes into the model, with `contract`, `spawn`, `train`, `methods`."""
