"""A sweep over three hosts: trials whose ranks are on different machines give the numbers of one machine."""

from dataclasses import dataclass

import pytest

from tests.cluster.stage import Play, Stage, ranks_of

pytestmark = [pytest.mark.alone, pytest.mark.cluster, pytest.mark.rank, pytest.mark.ray]

SWEEP = ("train.lr=0.001,0.0001",)


@dataclass
class Swept:
    """Two trials of three ranks each, one rank on each host, both at once."""

    play: Play
    ranks: dict[str, int]
    """Host -> ranks that were seen on it while both trials trained."""


@pytest.fixture(scope="module")
def swept(stage: Stage) -> Swept:
    """The sweep, run once for the tests of this file."""
    play = stage.bench("swept")
    play.start(*SWEEP)
    play.wait_for_trials(2)
    ranks = {host.name: len(ranks_of(host)) for host in stage.hosts.all}
    assert play.wait() == 0, play.output()
    return Swept(play, ranks)


def test_both_trials_finish_and_nothing_is_left_on_any_host(swept: Swept) -> None:
    assert len(swept.play.trials()) == 2
    assert swept.play.left() == []


def test_each_trial_has_a_rank_on_each_host(swept: Swept) -> None:
    assert swept.ranks == {"host1": 2, "host2": 2, "host3": 2}


def test_numbers_are_those_of_one_machine_bit_for_bit(swept: Swept, stage: Stage) -> None:
    play = stage.bench("one_machine")
    assert play.run(*SWEEP, "cluster=inline") == 0, play.output()
    assert len(play.result()) == 2
    assert play.result() == swept.play.result()
