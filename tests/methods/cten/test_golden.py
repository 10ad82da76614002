from pathlib import Path

import pytest

pytestmark = pytest.mark.rank

GOLDEN = Path(__file__).parents[3] / "jack_ray" / "methods" / "cten" / "golden"


@pytest.mark.parametrize("name", ["cten.json", "train_cten.json"])
def test_the_network_and_its_training_are_those_of_the_published_code(name: str) -> None:
    from jack_ray.methods.cten.golden import check_file
    from jack_ray.train import optimizer

    assert [one for one in check_file(GOLDEN / name, optimizer.make, print) if not one.holds] == []
