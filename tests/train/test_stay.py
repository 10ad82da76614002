"""Ranks that stay for the next trial give what new ranks would."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from jack_ray.contract.paths import TrialFolder
from jack_ray.place.lead import Lead
from jack_ray.place.news import Order
from tests.training import Ran, fingerprint, follow, new_trial, numbers, order_of, train

pytestmark = pytest.mark.rank

KEPT_BYTES = 8 << 20
"""Of 890 MiB that the processes of a gang have; it was seen to grow by less than one over three trials."""
OTHER = ("train.lr=3e-3", "train.seed=5")


class Chain:
    """Trials one after the other by one lead's ranks, as the hands run them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.last: Lead | None = None

    def order(self, folder: TrialFolder) -> Order:
        """An attempt of two ranks that stay."""
        return replace(order_of(folder, self._home, 1, 2), keep_ranks=True)

    def run(self, order: Order) -> Ran:
        """Run a trial to its end, with the ranks that stayed."""
        standing, last = None, self.last
        if last is not None:
            standing, last.standing = last.standing, None
        self.last = Lead(order, standing=standing)
        return follow(self.last)

    @property
    def pids(self) -> int:
        """The process that the ranks hang on; 0: none stayed."""
        assert self.last is not None
        return self.last.standing.gang.pid if self.last.standing is not None else 0


@pytest.fixture
def chain(jittor_home: Path) -> Iterator[Chain]:
    made = Chain(jittor_home)
    yield made
    if made.last is not None:
        made.last.dismiss()


def test_a_trial_of_ranks_that_stayed_has_the_numbers_and_files_of_new_ranks(
    chain: Chain, tmp_path: Path, demo_data: Path, jittor_home: Path
) -> None:
    alone = new_trial(tmp_path / "alone", demo_data, *OTHER)
    assert train(alone, jittor_home).ended.status == "finished"
    first, second = new_trial(tmp_path, demo_data), new_trial(tmp_path, demo_data, *OTHER)
    assert chain.run(chain.order(first)).ended.status == "finished"
    started = chain.pids
    assert chain.run(chain.order(second)).ended.status == "finished"
    assert chain.pids == started != 0
    assert numbers(second) == numbers(alone)
    assert fingerprint(second) == fingerprint(alone)
    assert fingerprint(first) != fingerprint(second)


def resident(pid: int) -> int:
    """Bytes in memory of a process and all below it."""
    top = psutil.Process(pid)
    return sum(int(process.memory_info().rss) for process in [top, *top.children(recursive=True)])


def test_ranks_that_stay_give_their_memory_back(chain: Chain, tmp_path: Path, demo_data: Path) -> None:
    after = []
    for seed in range(3):
        trial = new_trial(tmp_path, demo_data, f"train.seed={seed}")
        assert chain.run(chain.order(trial)).ended.status == "finished"
        time.sleep(1.0)  # they tell that they are done before they tidy up
        after.append(resident(chain.pids))
    assert after[2] - after[0] < KEPT_BYTES


def test_after_a_failure_the_next_trial_gets_new_ranks(chain: Chain, tmp_path: Path, demo_data: Path) -> None:
    first, broken = new_trial(tmp_path, demo_data), new_trial(tmp_path, demo_data, "train.seed=7")
    assert chain.run(chain.order(first)).ended.status == "finished"
    started = chain.pids
    order = chain.order(broken)
    broken.trial.write_text("{}")
    told = chain.run(order)
    assert told.ended.status == "failed"
    assert "is not a trial file" in told.message
    assert chain.pids == 0
    third = new_trial(tmp_path, demo_data, *OTHER)
    assert chain.run(chain.order(third)).ended.status == "finished"
    assert chain.pids not in (0, started)
