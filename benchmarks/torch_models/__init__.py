"""The four methods in plain PyTorch, to be timed beside ours; state-dict names are the published ones.

Each module has `Model(config)` and `loss(model, batch, config)`, which takes the same NumPy batch as our losses do.
"""
