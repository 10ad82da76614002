"""Where a trial fits, in which parts, and what is said while it waits."""

from dataclasses import replace
from pathlib import Path

import pytest

from jack_ray.contract.errors import PlaceError
from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place.mate import environment_of
from jack_ray.place.news import Need, Order
from jack_ray.place.room import (
    Layout,
    Machine,
    how_many_now,
    layout_ever,
    layout_now,
    need_of_attempt,
    refuse_impossible,
    why_waiting,
)

LAB1 = Machine("lab1", 8, 2, 4, 1)
LAB2 = Machine("lab2", 16, 0, 3, 0)
UNEVEN = [Machine("big", 8, 3, 8, 3), Machine("small", 8, 1, 8, 1), Machine("bare", 8, 0, 8, 0)]
ALIKE = [Machine(f"lab{number}", 4, 0, 4, 0) for number in range(3)]


@pytest.mark.parametrize(
    ("need", "can"), [(Need(2, 4, 2), True), (Need(9, 1, 2), False), (Need(16), True), (Need(3, 1, 3), False)]
)
def test_a_trial_fits_on_one_machine_or_is_refused(need: Need, can: bool) -> None:
    if can:
        refuse_impossible(need, [LAB1, LAB2])
        return
    with pytest.raises(PlaceError, match=r"Type a smaller cluster\.ranks"):
        refuse_impossible(need, [LAB1, LAB2])


def test_a_refusal_names_the_largest_machine() -> None:
    with pytest.raises(PlaceError, match=r"needs 4 cores and 4 GPUs on one machine, .* lab1, has 8 cores and 2 GPUs"):
        refuse_impossible(Need(4, 1, 4), [LAB2, LAB1])
    with pytest.raises(PlaceError, match=r"needs 1 core on one machine, and there is no machine"):
        refuse_impossible(Need(1), [])
    with pytest.raises(PlaceError, match=r"needs 4 cores on 4 machines, .* has 4 cores \(of 3\)"):
        refuse_impossible(Need(4, nodes=4), ALIKE)


def attempt(threads: int, ranks: int = 2) -> Order:
    """Of a trial that began with so many threads a rank."""
    trial = Trial("tsl", {"name": "tsl"}, {"root": "/data"}, {"steps": 4}, "0123", ranks, threads)
    return Order(trial, Path("/runs"), 1, gpu=False, jittor_home=Path("/jittor"), mpi=MpiConfig("none", 9.0, None, 5.0))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_threads_of_all_ranks_never_exceed_the_cores_that_are_taken_for_them(threads: int) -> None:
    order = attempt(threads)
    need = need_of_attempt(Need(2, cpus_per_rank=2), order, [ALIKE[0], LAB2])
    taken = need.ranks * need.cpus_per_rank
    assert taken == 2 * max(threads, 2)
    assert order.ranks * int(environment_of(order)["OMP_NUM_THREADS"]) <= taken


def test_a_trial_that_began_with_more_threads_than_any_machine_has_cores_is_still_placed() -> None:
    assert need_of_attempt(Need(2), attempt(threads=4), ALIKE) == Need(2)
    assert need_of_attempt(Need(2), replace(attempt(threads=4), memory=7), [LAB1]) == Need(2, 4, memory=7)


def test_cores_of_two_machines_add_up_only_for_a_trial_that_may_take_both() -> None:
    with pytest.raises(PlaceError):
        refuse_impossible(Need(20), [LAB1, LAB2])
    assert layout_ever(Need(20, nodes=None), [LAB1, LAB2]) == (16, 4)


@pytest.mark.parametrize(
    ("need", "machines", "layout"),
    [
        (Need(3, nodes=3), ALIKE, (1, 1, 1)),
        (Need(6, nodes=None), ALIKE, (4, 2)),
        (Need(4, nodes=None), ALIKE, (4,)),
        (Need(6, nodes=None, placement="spread"), ALIKE, (2, 2, 2)),
        (Need(2, nodes=None, placement="spread"), ALIKE, (1, 1)),
        (Need(5, nodes=2), ALIKE, (3, 2)),
        (Need(4, 1, 4, nodes=None), UNEVEN, (3, 1)),
        (Need(4, 1, 4, nodes=2), UNEVEN, (3, 1)),
        (Need(2, 1, 2, nodes=2), UNEVEN, (1, 1)),
        (Need(5, 1, 5, nodes=None), UNEVEN, None),
        (Need(3, 1, 3, nodes=3), UNEVEN, None),
        (Need(2, 1, 0.5), UNEVEN, (2,)),
        (Need(1, memory=8), [Machine("lab", 4, 0, 4, 0, memory=7, free_memory=7)], None),
        (Need(2, memory=8, nodes=None), [Machine("lab", 4, 0, 4, 0, "a", 8, 8)] * 2, (1, 1)),
    ],
)
def test_ranks_are_dealt_out_over_unequal_machines(need: Need, machines: list[Machine], layout: Layout | None) -> None:
    assert layout_now(need, machines) == layout
    assert layout_ever(need, machines) == layout


def test_ranks_that_share_a_gpu_stay_on_one_machine() -> None:
    assert layout_ever(Need(2, 6, 0.5, nodes=None), UNEVEN) is None


@pytest.mark.parametrize(
    ("need", "count"), [(Need(1), 7), (Need(2), 3), (Need(4), 1), (Need(1, 2, 1), 1), (Need(1, 5, 1), 0)]
)
def test_free_places_are_counted_machine_by_machine(need: Need, count: int) -> None:
    assert how_many_now(need, [LAB1, LAB2]) == count


def test_free_places_of_trials_over_several_machines_are_counted() -> None:
    assert how_many_now(Need(3, nodes=3), ALIKE) == 4
    assert how_many_now(Need(5, nodes=None), ALIKE) == 2
    assert how_many_now(Need(1, 1, 0.25), UNEVEN) == 12


@pytest.mark.parametrize(
    ("need", "machines", "words"),
    [
        (Need(8), [LAB1, LAB2], "waiting for 8 cores: the largest free place is 4 cores and 1 GPU on lab1"),
        (Need(8), [LAB2], "waiting for 8 cores: the largest free place is 3 cores on lab2"),
        (Need(2), [LAB2], "waiting for Ray to place it (2 cores)"),
        (Need(1, 1, 1), [], "waiting for 1 core and 1 GPU: no machine is up"),
        (Need(2, nodes=2), [LAB2], "waiting for 2 cores on 2 machines: the cluster (machines: 1) cannot hold it"),
    ],
)
def test_why_a_trial_waits_is_one_sentence(need: Need, machines: list[Machine], words: str) -> None:
    assert why_waiting(need, machines) == words
