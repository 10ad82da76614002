from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.methods.vaanet.reference import MODEL
from tests.methods.shared.clip_networks import VAANET, batch, published_state, small

pytestmark = pytest.mark.rank


def made(**changes: Any) -> Any:
    import jittor as jt

    from jack_ray.methods.vaanet.model import Model

    jt.set_global_seed(3)
    model = Model(small(MODEL, VAANET, **changes))
    jt.sync_all(True)
    return model


def numbers(outputs: dict[str, Any]) -> dict[str, NDArray[Any]]:
    return {name: var.numpy() for name, var in outputs.items()}


def test_names_shapes_and_order_are_the_published_ones() -> None:
    from jack_ray.methods.vaanet.golden import GOLDEN
    from jack_ray.methods.vaanet.model import Model

    state = Model(MODEL).state_dict()
    assert [(name, list(var.shape)) for name, var in state.items()] == published_state(GOLDEN / "state_dict.txt")


def test_all_that_learns_is_in_a_group_and_neither_the_frozen_nor_the_unused_part() -> None:
    model = made()
    (group,) = model.groups()
    left_out = {name for name in model.state_dict() if name not in group.parameters and "running_" not in name}
    assert left_out == {
        name for name in model.state_dict() if name.startswith(("resnet.", "fc.")) and "run" not in name
    }
    (group,) = made(backbone="trained").groups()
    assert "resnet.0.weight" in group.parameters


def test_everything_in_the_group_gets_a_gradient() -> None:
    import jittor as jt

    model = made(backbone="trained")
    (group,) = model.groups()
    outputs = model.training_outputs(batch(model._config, 4))
    loss = (outputs["logits"] ** 2).sum() + outputs["gamma"].sum()
    gradients = zip(group.parameters, jt.grad(loss, list(group.parameters.values())), strict=True)
    dead = {name for name, gradient in gradients if not np.isfinite(gradient.numpy()).all()}
    assert dead == set()


def test_the_outputs_have_the_shapes_and_means_they_say() -> None:
    model = made()
    model.eval()
    outputs = numbers(model(batch(model._config, 2)))
    shapes = {name: values.shape for name, values in outputs.items()}
    assert shapes == {"logits": (2, 8), "spatial": (2, 3, 4), "channel": (2, 3, 8), "gamma": (2, 3)}
    np.testing.assert_allclose(outputs["spatial"].mean(2), 1, rtol=1e-5)
    np.testing.assert_allclose(outputs["channel"].mean(2), 1, rtol=1e-5)
    assert (outputs["gamma"] >= 0).all()


@pytest.mark.parametrize("videos", [1, 2])
def test_the_inputs_are_not_changed_so_that_a_second_pass_gives_the_same(videos: int) -> None:
    # The published code scales the clips in place when a batch has one video.
    model = made()
    model.eval()
    given = batch(model._config, videos)
    before = given["visual"].copy()
    first = numbers(model(given))
    np.testing.assert_array_equal(given["visual"], before)
    second = numbers(model(given))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])


def test_a_video_has_the_same_outputs_alone_and_among_others() -> None:
    model = made()
    model.eval()
    given = batch(model._config, 3)
    together = numbers(model(given))
    for index in range(3):
        one = {**given, **{key: given[key][index : index + 1] for key in ("visual", "audio")}}
        for name, values in numbers(model(one)).items():
            np.testing.assert_allclose(values[0], together[name][index], rtol=1e-4, atol=1e-6)


def test_time_starts_with_equal_weights() -> None:
    assert made().ta_net.fc.bias.numpy().tolist() == [1, 1, 1]
