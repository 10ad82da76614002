import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.contract.errors import TrainError
from jack_ray.methods.gait.reference import MODEL
from jack_ray.methods.gait.skeleton import adjacency
from jack_ray.methods.roles import OneByOne, whole_loss
from tests.methods.gait.sample_config import model_config

FloatArray = NDArray[np.floating[Any]]

pytestmark = pytest.mark.rank

PUBLISHED = Path(__file__).with_name("published_state_dict.txt")
SMALL: dict[str, Any] = {"widths": (8, 12, 16), "blocks": (2, 1, 1)}


def draw_batch(number: int, seed: int = 0) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    return {
        "posture": generator.standard_normal((number, 3, 48, 16)).astype(np.float32),
        "movement": generator.standard_normal((number, 8, 48, 16)).astype(np.float32),
        "affective": generator.standard_normal((number, 1488)).astype(np.float32),
        "targets": np.eye(4, dtype=np.float32)[generator.integers(0, 4, number)],
        "names": [str(index) for index in range(number)],
    }


def small(**changes: Any) -> Any:
    import jittor as jt

    from jack_ray.methods.gait.model import Model

    jt.set_global_seed(3)
    return Model(model_config(**SMALL | changes))


@pytest.fixture(scope="module")
def full(jittor_home: Path) -> Any:
    """The published network with its initial weights."""
    import jittor as jt

    from jack_ray.methods.gait.model import Model

    jt.set_global_seed(3)
    return Model(MODEL)


def test_names_and_shapes_are_the_published_ones_in_their_order(full: Any) -> None:
    lines = [line.split("\t") for line in PUBLISHED.read_text().splitlines()]
    published = [(name, ast.literal_eval(shape)) for name, shape in lines]
    assert [(name, list(var.shape)) for name, var in full.state_dict().items()] == published


def test_there_are_7_287_192_parameters_and_all_are_learnt_once(full: Any) -> None:
    (group,) = full.groups()
    assert sum(int(np.prod(var.shape)) for var in group.parameters.values()) == 7_287_192
    assert sorted(group.parameters) == sorted(name for name in full.state_dict() if "running_" not in name)


def test_the_fixed_graphs_are_neither_saved_nor_learnt() -> None:
    """JACK keeps them in a Var, so that they are trained and decay."""
    model = small()
    assert not any(name.endswith((".A", "._fixed")) for name in model.state_dict())
    assert (model.l1_p.gcn1._fixed == adjacency()).all()


def test_every_convolution_starts_as_published(full: Any) -> None:
    """In JACK the loop over children leaves most of them with Jittor's own initial weights, and biases."""
    state = {name: var.numpy() for name, var in full.state_dict().items()}
    for name, values in state.items():
        parts = name.split(".")
        if parts[-1] != "weight" or values.ndim != 4 or parts[0].startswith("fusion"):
            continue
        outputs, inputs, kernel, _ = values.shape
        std = np.sqrt(2 / (outputs * inputs * 3)) if "conv_d" in name else np.sqrt(2 / (outputs * kernel))
        assert values.std() == pytest.approx(std, rel=5 / np.sqrt(values.size)), name
        assert not state[name.removesuffix("weight") + "bias"].any(), name


def test_learnt_graphs_start_at_a_millionth_everywhere_and_units_as_their_short_cut(full: Any) -> None:
    """In JACK they start as the fixed graphs times a millionth."""
    state = full.state_dict()
    assert np.unique(state["l7_m.gcn1.PA"].numpy()) == pytest.approx([1e-6])
    assert np.unique(state["l7_m.gcn1.bn.weight"].numpy()) == pytest.approx([1e-6])
    assert np.unique(state["l7_m.tcn1.bn.weight"].numpy()).tolist() == [1]
    assert state["fc1_classifier_p.weight"].numpy().std() == pytest.approx(np.sqrt(2 / 4), rel=0.1)


def test_each_joint_adds_its_part_to_the_score() -> None:
    model = small()
    model.eval()
    outputs = {name: var.numpy() for name, var in model(draw_batch(3)).items()}
    assert outputs["joints"].shape == (3, 16, 4)
    bias = (model.fc1_classifier_p.bias.numpy() + model.fc1_classifier_m.bias.numpy()) / 2
    assert outputs["joints"].sum(1) + bias == pytest.approx(outputs["logits"], abs=1e-5)


def test_a_gait_has_the_same_scores_alone_and_among_others() -> None:
    model = small()
    model.eval()
    batch = draw_batch(5)
    together = model(batch)["logits"].numpy()
    for index in range(5):
        alone = model({key: value[index : index + 1] for key, value in batch.items()})["logits"].numpy()
        assert alone[0] == pytest.approx(together[index], abs=1e-5)


def test_another_number_of_frames_or_joints_is_told() -> None:
    model = small()
    batch = draw_batch(2)
    for key, shape in (("posture", (2, 3, 47, 16)), ("movement", (2, 8, 48, 15))):
        with pytest.raises(TrainError, match=rf"{key} has shape .* BPM-GCN takes"):
            model(batch | {key: np.zeros(shape, np.float32)})


def test_graph_products_are_those_of_numpy_and_so_are_their_gradients() -> None:
    import jittor as jt

    from jack_ray.methods.gait.graph_product import affinity, spread

    generator = np.random.default_rng(0)
    both = generator.standard_normal((2, 6, 20, 16)).astype(np.float32)
    graphs = generator.standard_normal((2, 3, 16, 16)).astype(np.float32)
    features, given = generator.standard_normal((2, 20, 16)).astype(np.float32), jt.array(both)
    found = affinity(given)
    assert found.numpy() == pytest.approx(np.einsum("bkfu,bkfv->bkuv", both[:, :3], both[:, 3:]), abs=1e-4)
    (of_both,) = jt.grad((found * jt.array(graphs)).sum(), [given])
    assert of_both.numpy()[:, :3] == pytest.approx(np.einsum("bkfv,bkuv->bkfu", both[:, 3:], graphs), abs=1e-4)
    assert of_both.numpy()[:, 3:] == pytest.approx(np.einsum("bkfu,bkuv->bkfv", both[:, :3], graphs), abs=1e-4)
    left, right = jt.array(features), jt.array(graphs)
    handed = spread(left, right)
    assert handed.numpy() == pytest.approx(np.einsum("bfu,bkuv->bkfv", features, graphs), abs=1e-4)
    weights = both[:, :3]
    of_features, of_graphs = jt.grad((handed * jt.array(weights)).sum(), [left, right])
    assert of_features.numpy() == pytest.approx(np.einsum("bkfv,bkuv->bfu", weights, graphs), abs=1e-4)
    assert of_graphs.numpy() == pytest.approx(np.einsum("bfu,bkfv->bkuv", features, weights), abs=1e-4)


def log_softmax(values: FloatArray) -> FloatArray:
    return np.asarray(values - np.log(np.exp(values).sum(1, keepdims=True)))


@pytest.mark.parametrize("several", [False, True])
def test_the_loss_is_that_of_the_paper_and_every_parameter_has_a_gradient(several: bool) -> None:
    import jittor as jt

    from jack_ray.methods.gait.loss import Loss

    config = model_config(**SMALL, multi_label=several, lambdas=(2.0, 3.0, 5.0))
    model, batch = small(multi_label=several), draw_batch(4)
    model.train()
    if several:
        batch["targets"] = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0]], np.float32)
    total, terms = whole_loss(Loss(config)(model, batch, OneByOne()))
    outputs = {name: var.numpy().astype(np.float64) for name, var in model.training_outputs(batch).items()}
    expected = {"loss_reg": ((outputs["affective"] - batch["affective"]) ** 2).mean()}
    for name, stream in (("loss_cls_m", "movement"), ("loss_cls_p", "posture")):
        logits = outputs[f"{stream}_logits"]
        scores = 1 / (1 + np.exp(-logits)) if several else logits
        expected[name] = -(batch["targets"] * log_softmax(scores)).sum(1).mean()
    assert {name: float(term.numpy()[0]) for name, term in terms.items()} == pytest.approx(expected, rel=1e-4)
    whole = 2 * expected["loss_cls_m"] + 3 * expected["loss_cls_p"] + 5 * expected["loss_reg"]
    assert float(total.numpy()[0]) == pytest.approx(whole, rel=1e-4)
    (group,) = model.groups()
    gradients = jt.grad(total, list(group.parameters.values()))
    # Biases of the likeness cancel in a softmax, biases before a normalisation in its mean; all others move.
    for name, gradient in zip(group.parameters, gradients, strict=True):
        if name.endswith("weight") or name.endswith("PA"):
            assert np.abs(gradient.numpy()).max() > 0, name
