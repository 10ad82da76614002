from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

pytestmark = pytest.mark.rank

CLIPS = np.random.default_rng(1).uniform(0, 255, (3, 3, 4, 32, 32)).astype(np.float32)


def network() -> Any:
    import jittor as jt

    from jack_ray.methods.shared.resnet3d import resnet3d

    jt.set_global_seed(5)
    backbone = resnet3d((1, 1, 1, 1), 2)
    jt.sync_all(True)
    return backbone


def look(is_trained: bool = False, freezes: bool = False) -> Any:
    from jack_ray.methods.shared.resnet3d import Look

    return Look(network(), is_trained, freezes)


def statistics(one: Any) -> dict[str, NDArray[Any]]:
    return {name: var.numpy().copy() for name, var in one.backbone.state_dict().items() if "running_" in name}


def moved(one: Any) -> bool:
    before = statistics(one)
    one(CLIPS).sync()
    return any((before[name] != value).any() for name, value in statistics(one).items())


def test_a_frozen_backbone_follows_the_batch_as_published_unless_its_statistics_are_frozen() -> None:
    assert moved(look())
    assert not moved(look(freezes=True))


def test_nothing_moves_in_evaluation() -> None:
    one = look()
    one.backbone.eval()
    assert not moved(one)


def test_clips_in_parts_give_what_all_at_once_give(monkeypatch: pytest.MonkeyPatch) -> None:
    from jack_ray.methods.shared import resnet3d

    one = look(freezes=True)
    whole = one(CLIPS).numpy()
    monkeypatch.setattr(resnet3d, "CLIPS_AT_ONCE", 2)
    np.testing.assert_allclose(one(CLIPS).numpy(), whole, rtol=1e-5, atol=1e-6)


def test_only_a_trained_backbone_has_a_gradient() -> None:
    import jittor as jt

    for is_trained in (False, True):
        one = look(is_trained)
        weight = one.backbone[0].weight
        gradient = jt.grad((one(CLIPS) ** 2).sum(), weight).numpy()
        assert bool(gradient.any()) == is_trained


def test_clips_of_a_user_are_not_changed() -> None:
    given = CLIPS[:1].copy()
    look()(given).sync()
    np.testing.assert_array_equal(given, CLIPS[:1])


def test_colours_are_scaled_as_the_kinetics_weights_know_them() -> None:
    from jack_ray.methods.shared.resnet3d import scaled

    assert scaled(np.array([0, 100, 255], np.float32)).numpy() == pytest.approx([-100 / 255, 0, 155 / 255], abs=1e-7)


def test_sizes_are_those_of_the_published_network() -> None:
    from jack_ray.methods.shared.resnet3d import num_features, reduced

    assert look()(CLIPS).shape == [3, num_features(2), reduced(4, 4), reduced(32, 5), reduced(32, 5)]
    assert [reduced(16, 4), reduced(112, 5), reduced(17, 4), num_features(64)] == [1, 4, 2, 2048]


def published(name: str, prefix: str) -> str:
    """Our name -> the name in a published ResNet, written out."""
    parts = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
    place, rest = name.removeprefix(f"{prefix}.").split(".", 1)
    return f"{parts[place]}.{rest}"


def test_published_weights_of_both_networks_find_their_places(tmp_path: Path) -> None:
    from jittor import nn

    from jack_ray.methods.shared.resnet3d import pretrained_parts
    from jack_ray.methods.shared.sound_resnet import sound_resnet
    from jack_ray.train.weights import load_part

    model = nn.Module()
    model.resnet, model.a_resnet = network(), sound_resnet(2)
    state = {name: var.numpy().copy() for name, var in model.state_dict().items()}
    files = {}
    for prefix in ("resnet", "a_resnet"):
        tensors = {
            f"module.{published(name, prefix)}": value + np.float32(1)
            for name, value in state.items()
            if name.startswith(f"{prefix}.")
        }
        tensors["module.fc.weight"] = np.zeros((5, 4), np.float32)
        if prefix == "a_resnet":
            tensors["module.conv1.weight"] = np.zeros((2, 3, 7, 7), np.float32)  # three colours
        files[prefix] = tmp_path / f"{prefix}.safetensors"
        save_file(tensors, files[prefix])
    for part in pretrained_parts(state, str(files["resnet"]), str(files["a_resnet"])):
        told = load_part(model, part)
        assert told.missing == ()
        expected = {"fc.weight", "conv1.weight"} if part.path == files["a_resnet"] else {"fc.weight"}
        assert set(told.unexpected) == expected
    for name, var in model.state_dict().items():
        added = 0 if name == "a_resnet.0.weight" else 1
        np.testing.assert_allclose(var.numpy(), state[name] + added, rtol=1e-6, err_msg=name)


def test_without_files_nothing_is_loaded() -> None:
    from jack_ray.methods.shared.resnet3d import pretrained_parts

    assert pretrained_parts(["resnet.0.weight"], None, None) == []
