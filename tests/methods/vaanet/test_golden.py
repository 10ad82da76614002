"""VAANet's and CTEN's golden files share a reader (methods/shared/clip_golden.py), whose messages are tested here."""

import json
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.methods.shared.recipe import Comparison

pytestmark = pytest.mark.rank

GOLDEN = Path(__file__).parents[3] / "jack_ray" / "methods" / "vaanet" / "golden"


def compare(path: Path) -> dict[str, Comparison]:
    from jack_ray.methods.vaanet.golden import check_file
    from jack_ray.train import optimizer

    told: list[str] = []
    compared = {one.quantity: one for one in check_file(path, optimizer.make, told.append)}
    assert told
    return compared


@pytest.mark.parametrize("name", ["vaanet.json", "train_vaanet.json"])
def test_the_network_and_its_training_are_those_of_the_authors_code(name: str) -> None:
    assert [one for one in compare(GOLDEN / name).values() if not one.holds] == []


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    golden = json.loads((GOLDEN / "vaanet.json").read_text())["pcce"]
    path = tmp_path / "g.json"
    path.write_text(json.dumps({"pcce": golden | {"loss": golden["loss"] * 1.001}}))
    assert {name for name, one in compare(path).items() if not one.holds} == {"loss: loss"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weather": "fine"}, "is no golden file of VAANet: it holds weather"),
        ({"pcce": {"logits": [[1.0]]}}, "pcce cannot be read as VAANet's"),
        ({"logits": [[1.0]]}, "logits cannot be read as VAANet's"),
        ({"steps": [], "recipe": {"dropout": 0.2}}, "dropout in a training, which no two implementations draw alike"),
    ],
)
def test_a_file_that_is_not_vaanets_is_told_in_one_line(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(json.dumps(content))
    with pytest.raises(JackRayError, match=message) as caught:
        compare(path)
    assert str(path) in str(caught.value)
