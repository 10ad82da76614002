"""Who answers for a failure, and what follows from it."""

import pytest

from jack_ray.contract.failure import Failure, Kind
from jack_ray.contract.schema import RetryConfig
from jack_ray.place.retry import LONGEST_WAIT_S, SILENT_S, Class, Nodes, Tally, class_of, wait_before_next

CONFIG = RetryConfig(infra=3, user=1, memory=2, wait_s=2.0, bad_node=2)


def failure(kind: Kind, host: str = "lab1") -> Failure:
    return Failure(kind, "why", 0, host, 1.0)


@pytest.mark.parametrize(
    ("kind", "who"),
    [("lost", "infra"), ("killed", "infra"), ("hang", "infra"), ("disk", "infra"), ("start", "infra"),
     ("error", "user"), ("crash", "user"), ("memory", "memory"), ("data", "final"), ("diverged", "final")],
)  # fmt: skip
def test_every_kind_of_failure_has_somebody_who_answers_for_it(kind: Kind, who: Class) -> None:
    assert class_of(kind) == who


def waits(*kinds: Kind) -> list[float | None]:
    tally = Tally()
    found = []
    for kind in kinds:
        tally.add(failure(kind))
        found.append(wait_before_next(CONFIG, tally, failure(kind)))
    return found


def test_the_wait_doubles_and_the_attempts_end() -> None:
    assert waits("lost", "killed", "hang", "disk") == [2.0, 4.0, 8.0, None]


def test_a_users_error_does_not_use_up_what_machines_are_allowed() -> None:
    assert waits("error", "lost", "lost", "lost", "error") == [2.0, 4.0, 8.0, 16.0, None]


@pytest.mark.parametrize("kind", ["data", "diverged"])
def test_what_would_end_the_same_way_again_is_not_tried_again(kind: Kind) -> None:
    assert waits(kind) == [None]


def test_no_wait_is_longer_than_five_minutes() -> None:
    tally = Tally()
    config = RetryConfig(infra=99, user=0, memory=0, wait_s=2.0, bad_node=2)
    for _ in range(20):
        tally.add(failure("lost"))
    assert wait_before_next(config, tally, failure("lost")) == LONGEST_WAIT_S


def test_a_machine_is_left_out_for_good_at_its_second_failure() -> None:
    nodes = Nodes(CONFIG)
    assert not nodes.blame(failure("killed"), 0.0)
    assert not nodes.blame(failure("killed", "lab2"), 0.0)
    assert nodes.bad(1.0) == frozenset()
    assert nodes.blame(failure("start"), 0.0)
    assert nodes.bad(1e9) == {"lab1"}


def test_a_machine_that_fell_silent_is_left_out_for_a_while() -> None:
    nodes = Nodes(CONFIG)
    nodes.blame(failure("lost"), 100.0)
    assert nodes.bad(100.0 + SILENT_S / 2) == {"lab1"}
    assert nodes.bad(100.0 + SILENT_S * 2) == frozenset()


@pytest.mark.parametrize("kind", ["error", "crash", "disk", "data", "memory"])
def test_a_machine_does_not_answer_for_code_or_for_a_disk(kind: Kind) -> None:
    nodes = Nodes(CONFIG)
    for _ in range(5):
        nodes.blame(failure(kind), 0.0)
    assert nodes.bad(1.0) == frozenset()
