"""Two ranks before and in their first exchange."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.gangs import run
from tests.train.meeting_ranks import digest, drawn
from tests.training import new_trial

pytestmark = pytest.mark.rank


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory, demo_data: Path, jittor_home: Path) -> list[dict[str, Any]]:
    """What each rank had and got."""
    folder = new_trial(tmp_path_factory.mktemp("met"), demo_data)
    found: list[dict[str, Any]] = run(2, "tests.train.meeting_ranks", [str(folder.trial)])[0]["ranks"]
    return found


def test_all_ranks_have_the_same_weights_before_the_first_gradient(met: list[dict[str, Any]]) -> None:
    assert len(met) == 2
    assert met[0]["weights"] == met[1]["weights"]


def test_gradients_are_added_up_to_the_same_bits_on_every_rank_and_every_time(met: list[dict[str, Any]]) -> None:
    first, second = drawn(0), drawn(1)
    expected = digest({name: first[name] + second[name] for name in first})
    assert [rank["sums"] for rank in met] == [[expected, expected]] * 2
