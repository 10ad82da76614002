import json
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.methods.shared.recipe import Comparison

pytestmark = pytest.mark.rank

GOLDEN = Path(__file__).parents[3] / "jack_ray" / "methods" / "gait" / "golden"


def compare(path: Path) -> dict[str, Comparison]:
    from jack_ray.methods.gait.golden import check_file
    from jack_ray.train import optimizer

    told: list[str] = []
    compared = {one.quantity: one for one in check_file(path, optimizer.make, told.append)}
    assert told
    return compared


def test_the_network_computes_what_the_authors_code_computes() -> None:
    compared = compare(GOLDEN / "gait.json")
    assert [one for one in compared.values() if not one.holds] == []
    assert len(compared) == 13


def test_four_training_steps_at_two_rates_lead_where_the_authors_code_leads() -> None:
    compared = compare(GOLDEN / "train_gait.json")
    assert [one for one in compared.values() if not one.holds] == []
    assert compared["after training at a low rate: change, median"].deviation < 5e-4


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    golden = json.loads((GOLDEN / "gait.json").read_text())
    path = tmp_path / "g.json"
    path.write_text(json.dumps(golden | {"loss_reg": golden["loss_reg"] * 1.001}))
    assert {name for name, one in compare(path).items() if not one.holds} == {"forward: affective loss"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weather": "fine"}, "is no golden file of BPM-GCN: it holds weather"),
        ({"avg_scores": []}, "avg_scores cannot be read as BPM-GCN's"),
        ({"steps": 3}, "steps cannot be read as BPM-GCN's"),
    ],
)
def test_a_file_that_is_not_bpm_gcns_is_told_in_one_line(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(json.dumps(content))
    with pytest.raises(JackRayError, match=message) as caught:
        compare(path)
    assert str(path) in str(caught.value)
