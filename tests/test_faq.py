"""What docs/faq.md says of Jittor is so. Where a test fails with a new Jittor, the page is wrong: maybe good news."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.rank

PAGE = Path(__file__).parents[1] / "docs" / "faq.md"


def said(*words: str) -> None:
    """The page has a row with these words."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert any(all(word in row for word in words) for row in rows), words


@pytest.fixture
def jt(jittor_home: Path) -> Any:
    """Jittor, after its home is known."""
    import jittor

    return jittor


def numbers(var: Any) -> Any:
    """A Var as lists."""
    return var.numpy().tolist()


def test_arrays_lose_width(jt: Any) -> None:
    said("float64", "float32")
    assert jt.array(np.array([1.0])).dtype == "float32"
    said("2**40", "int32, 0")
    assert numbers(jt.array(np.array([2**40]))) == [0]
    said("six uint8", "88")
    assert numbers(jt.array(np.full(6, 100, np.uint8)).sum()) == [88]


def test_not_a_number_hides(jt: Any) -> None:
    said("`x != x`", "False")
    values = jt.array([1.0, float("nan"), 2.0])
    assert numbers(values != values) == [False] * 3
    assert numbers(jt.isnan(values)) == [False, True, False]
    said("maximum of 1, NaN, 2")
    assert numbers(values.max()) == [2.0]


def test_whole_numbers_are_rounded_and_divided_as_in_c(jt: Any) -> None:
    said("`round` of 0.5, 1.5, 2.5", "1, 2, 3")
    assert numbers(jt.round(jt.array([0.5, 1.5, 2.5]))) == [1, 2, 3]
    said("`-7 // 2`", "-3, -1")
    assert numbers(jt.array([-7]) // jt.array([2])) == [-3]
    assert numbers(jt.array([-7]) % jt.array([2])) == [-1]


def test_reductions_give_something_else(jt: Any) -> None:
    said("`x.var()`", "1 (biased)", "1.41 (unbiased)")
    assert numbers(jt.array([1.0, 3.0]).var()) == [1.0]
    assert numbers(jt.array([1.0, 3.0]).std()) == pytest.approx([2**0.5])
    said("`x.max(1)`", "values alone")
    table = jt.array([[1.0, 5.0], [3.0, 2.0]])
    assert numbers(table.max(1)) == [5.0, 3.0]
    said("`x.argmax(1)`", "places and values; values and places")
    assert [numbers(one) for one in table.argmax(1)] == [[1, 0], [5.0, 3.0]]
    assert [numbers(one) for one in jt.array([3.0, 1.0, 2.0]).sort()] == [[1.0, 2.0, 3.0], [1, 2, 0]]
    said("shape of a sum", "`[1]`")
    assert list(table.sum().shape) == [1]


def test_a_slice_is_sometimes_a_copy(jt: Any) -> None:
    said("v = a[0]", "v = a[1:]")
    whole = jt.zeros((2, 2))
    first = whole[0]
    first[0] = 1
    assert numbers(whole) == [[1, 0], [0, 0]]
    whole = jt.zeros((2, 2))
    rest = whole[1:]
    rest[0] = 1
    assert numbers(whole) == [[0, 0], [0, 0]]


def test_places_outside_and_seeds_are_not_told(jt: Any) -> None:
    said("too large")
    assert len(numbers(jt.array([1.0, 2.0, 3.0])[jt.array([5])])) == 1
    said("seeds 0 and 1")
    drawn = []
    for seed in (0, 1):
        jt.set_global_seed(seed)
        drawn.append(numbers(jt.rand(2)))
    assert drawn[0] == drawn[1]


def test_batch_normalisation_is_another(jt: Any) -> None:
    said("running variance", "1.0", "1.1")
    layer = jt.nn.BatchNorm1d(1)
    layer(jt.array([[1.0], [3.0]])).sync()
    assert numbers(layer.running_var) == pytest.approx([1.0])
    said("10,000")
    many = np.random.default_rng(0).normal(1e4, 1, (4096, 1)).astype(np.float32)
    assert abs(float(jt.nn.BatchNorm1d(1)(jt.array(many)).numpy().std()) - 1) > 0.5
    said("running statistics")
    assert {"running_mean", "running_var"} <= {name for name, _ in layer.named_parameters()}


def test_modules_take_every_var_for_a_parameter(jt: Any) -> None:
    said("every `Var` in a module", "`_`")

    class Module(jt.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.graph = jt.ones((2,))
            self._hidden = jt.ones((2,))

    assert list(Module().state_dict()) == ["graph"]
    said("`load_state_dict`", "no error")
    jt.nn.Linear(2, 2).load_state_dict({"weight": jt.ones((3, 3)), "unknown": jt.ones((1,))})


def test_losses_have_less_than_pytorchs(jt: Any) -> None:
    said("`nn.BCELoss`")
    assert list(jt.nn.BCELoss()(jt.array([0.5, 0.25]), jt.array([1.0, 0.0])).shape) == [1]
    said("`nn.KLDivLoss`", "NaN")
    lost = jt.nn.KLDivLoss(reduction="sum")(jt.array([[-0.7, -0.7]]), jt.array([[1.0, 0.0]]))
    assert np.isnan(lost.numpy()).all()
    said("`nn.CrossEntropyLoss`", "no `reduction`")
    with pytest.raises(TypeError):
        jt.nn.CrossEntropyLoss(reduction="none")
    said("class number that does not exist", "weight 0")
    assert numbers(jt.nn.cross_entropy_loss(jt.zeros((2, 3)), jt.array([7, 0]))) == pytest.approx([np.log(3)])
    said("pooling", "an error")
    with pytest.raises(RuntimeError, match="kernel_size"):
        jt.nn.AvgPool3d(2, 2)(jt.ones((1, 1, 2, 2, 2)))


def test_optimisers_are_others(jt: Any) -> None:
    said("from `filter(..)`", "empty")
    layer = jt.nn.Linear(2, 2)
    before = numbers(layer.weight)
    optimizer = jt.optim.SGD([{"params": filter(lambda one: True, layer.parameters())}], 0.5)
    optimizer.step(layer(jt.ones((1, 2))).sum())
    assert numbers(layer.weight) == before
    said("weight decay", "applied")
    used, unused = jt.ones((1,)), jt.ones((1,))
    jt.optim.SGD([used, unused], 0.5, weight_decay=0.1).step(used.sum())
    assert numbers(unused) == pytest.approx([0.95])
    said("Adam", "0.003")
    weight = jt.zeros((1,))
    jt.optim.Adam([weight], 0.1).step(weight.sum() * 1e-8)
    assert numbers(weight) == pytest.approx([-0.00307], abs=1e-4)


def test_weights_start_from_pytorchs_distributions(jt: Any) -> None:
    said_below = re.search(r"Weights of (.+) start from\s+the same distributions", PAGE.read_text("utf-8"))
    assert said_below is not None
    for layer, inputs in ((jt.nn.Linear(16, 400), 16), (jt.nn.Conv1d(4, 200, 4), 16), (jt.nn.Conv2d(4, 200, 2), 16)):
        for var in (layer.weight, layer.bias):
            assert 0.9 < np.abs(var.numpy()).max() * inputs**0.5 <= 1
        assert layer.weight.numpy().std() * inputs**0.5 == pytest.approx(3**-0.5, abs=0.02)
    assert jt.nn.Embedding(500, 20).weight.numpy().std() == pytest.approx(1, abs=0.03)
