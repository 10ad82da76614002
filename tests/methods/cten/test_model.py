from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.methods.cten.reference import MODEL
from tests.methods.shared.clip_networks import CTEN, batch, published_state, small

pytestmark = pytest.mark.rank


def made(**changes: Any) -> Any:
    import jittor as jt

    from jack_ray.methods.cten.model import Model

    jt.set_global_seed(3)
    model = Model(small(MODEL, CTEN, **changes))
    jt.sync_all(True)
    return model


def numbers(outputs: dict[str, Any]) -> dict[str, NDArray[Any]]:
    return {name: var.numpy() for name, var in outputs.items()}


def test_names_shapes_and_order_are_the_published_ones() -> None:
    from jack_ray.methods.cten.golden import GOLDEN
    from jack_ray.methods.cten.model import Model

    state = Model(MODEL).state_dict()
    assert [(name, list(var.shape)) for name, var in state.items()] == published_state(GOLDEN / "state_dict.txt")


def test_all_that_learns_is_in_a_group_and_not_the_frozen_part() -> None:
    model = made()
    (group,) = model.groups()
    assert not any(name.startswith("resnet.") for name in group.parameters)
    learnt = {name for name in model.state_dict() if "running_" not in name and not name.startswith("resnet.")}
    assert set(group.parameters) == learnt
    assert {"nl.0.alpha", "nl_a.0.alpha"} < learnt
    assert "resnet.0.weight" in made(backbone="trained").groups()[0].parameters


def test_a_video_has_the_same_outputs_alone_and_among_others_and_is_not_changed() -> None:
    model = made()
    model.eval()
    given = batch(model._config, 3)
    before = given["visual"].copy()
    together = numbers(model(given))
    assert {name: values.shape for name, values in together.items()} == {"logits": (3, 8), "gamma": (3, 3)}
    for index in range(3):
        one = {**given, **{key: given[key][index : index + 1] for key in ("visual", "audio")}}
        for name, values in numbers(model(one)).items():
            np.testing.assert_allclose(values[0], together[name][index], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(given["visual"], before)


def test_segments_of_a_stream_learn_from_each_other_and_the_short_cut_starts_shut() -> None:
    import jittor as jt

    from jack_ray.methods.cten.attention import IntraModal

    jt.set_global_seed(4)
    block = IntraModal(6, 4)
    block.eval()
    segments = np.random.default_rng(2).standard_normal((2, 5, 6)).astype(np.float32)
    state = {name: var.numpy().astype(np.float64) for name, var in block.state_dict().items()}

    def linear(name: str, values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(values @ state[f"{name}.weight"].T + state[f"{name}.bias"])

    likeness = np.einsum("bqi,bki->bqk", linear("theta", segments), linear("phi", segments)) / 2
    shares = np.exp(likeness) / np.exp(likeness).sum(2, keepdims=True)
    gathered = linear("out", np.einsum("bqk,bki->bqi", shares, linear("g", segments))) / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(block(jt.array(segments)).numpy(), gathered, rtol=1e-4, atol=1e-6)
    block.alpha.update(jt.array([0.5]))
    block.alpha.sync()
    np.testing.assert_allclose(block(jt.array(segments)).numpy(), gathered + 0.5 * segments, rtol=1e-4, atol=1e-6)


def test_heads_look_at_their_own_features() -> None:
    import jittor as jt

    from jack_ray.methods.cten.attention import InterModal

    jt.set_global_seed(4)
    block = InterModal(6, 3)
    generator = np.random.default_rng(2)
    asking, asked = (generator.standard_normal((2, 4, 6)).astype(np.float32) for _ in range(2))
    state = {name: var.numpy().astype(np.float64) for name, var in block.state_dict().items()}

    def rectified(name: str, values: NDArray[Any]) -> NDArray[Any]:
        return np.maximum(values @ state[f"linear_{name}.weight"].T + state[f"linear_{name}.bias"], 0)

    query, key, value = rectified("q", asking), rectified("k", asked), rectified("v", asked)
    gathered = np.zeros((2, 4, 6))
    for video in range(2):
        for head in (slice(0, 2), slice(2, 4), slice(4, 6)):
            likeness = np.exp(query[video][:, head] @ key[video][:, head].T / np.sqrt(2))
            gathered[video][:, head] = likeness / likeness.sum(1, keepdims=True) @ value[video][:, head]
    ours = block(jt.array(asking), jt.array(asked)).numpy()
    np.testing.assert_allclose(ours, rectified("o", gathered), rtol=1e-4, atol=1e-6)


def test_what_is_dropped_depends_on_the_samples_seed_and_the_pass_alone() -> None:
    from jack_ray.methods.shared.dropout import dropout_mask

    seeds = np.array([11, 12, 13])
    whole = dropout_mask(seeds, 0, 4000, 0.2)
    np.testing.assert_array_equal(whole[1:2], dropout_mask(seeds[1:2], 0, 4000, 0.2))
    assert (whole[0] != whole[1]).any()
    assert (whole != dropout_mask(seeds, 1, 4000, 0.2)).any()
    assert set(np.unique(whole)) == {np.float32(0), np.float32(1.25)}
    assert (whole == 0).mean() == pytest.approx(0.2, abs=0.02)


def test_nothing_is_dropped_in_evaluation() -> None:
    model = made(dropout=0.9)
    model.eval()
    given = batch(model._config, 2)
    np.testing.assert_array_equal(model(given)["logits"].numpy(), model(given)["logits"].numpy())
