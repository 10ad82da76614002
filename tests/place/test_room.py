import pytest

from jack_ray.contract.errors import PlaceError
from jack_ray.place.news import Need
from jack_ray.place.room import Machine, fits, how_many_now, refuse_impossible, why_waiting

LAB1 = Machine("lab1", 8, 2, 4, 1)
LAB2 = Machine("lab2", 16, 0, 3, 0)


@pytest.mark.parametrize(
    ("need", "can"), [(Need(8, 2), True), (Need(9, 2), False), (Need(16, 0), True), (Need(8, 3), False)]
)
def test_a_trial_fits_on_one_machine_or_is_refused(need: Need, can: bool) -> None:
    if can:
        refuse_impossible(need, [LAB1, LAB2])
        return
    with pytest.raises(PlaceError, match=r"Type a smaller cluster\.ranks"):
        refuse_impossible(need, [LAB1, LAB2])


def test_a_refusal_names_the_largest_machine() -> None:
    with pytest.raises(PlaceError, match=r"needs 4 cores and 4 GPUs .* lab1, has 8 cores and 2 GPUs"):
        refuse_impossible(Need(4, 4), [LAB2, LAB1])
    with pytest.raises(PlaceError, match=r"needs 1 core on one machine, and there is no machine"):
        refuse_impossible(Need(1, 0), [])


def test_cores_of_two_machines_do_not_add_up() -> None:
    with pytest.raises(PlaceError):
        refuse_impossible(Need(20, 0), [LAB1, LAB2])


@pytest.mark.parametrize(
    ("need", "count"), [(Need(1, 0), 7), (Need(2, 0), 3), (Need(4, 0), 1), (Need(2, 1), 1), (Need(5, 1), 0)]
)
def test_free_places_are_counted_machine_by_machine(need: Need, count: int) -> None:
    assert how_many_now(need, [LAB1, LAB2]) == count


def test_a_place_is_large_enough_when_cores_and_gpus_are() -> None:
    assert fits(Need(2, 1), 2, 1)
    assert not fits(Need(2, 1), 2, 0)
    assert not fits(Need(3, 0), 2, 8)


@pytest.mark.parametrize(
    ("need", "machines", "words"),
    [
        (Need(8, 0), [LAB1, LAB2], "waiting for 8 cores: the largest free place is 4 cores and 1 GPU on lab1"),
        (Need(8, 0), [LAB2], "waiting for 8 cores: the largest free place is 3 cores on lab2"),
        (Need(2, 0), [LAB2], "waiting for Ray to place it (2 cores)"),
        (Need(1, 1), [], "waiting for 1 core and 1 GPU: no machine is up"),
    ],
)
def test_why_a_trial_waits_is_one_sentence(need: Need, machines: list[Machine], words: str) -> None:
    assert why_waiting(need, machines) == words
