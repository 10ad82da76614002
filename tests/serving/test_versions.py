"""What an alias means is asked for again and again, and an MLflow that is away stops nobody."""

import time
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.serving.question import Wanted
from jack_ray.serving.versions import Versions, Watcher


class Registry:
    """Means what a test says."""

    def __init__(self) -> None:
        self.version = "1"
        self.is_away = False
        self.is_full = False
        self.broken: set[str] = set()
        self.asked = 0

    def current(self) -> str:
        self.asked += 1
        if self.is_away:
            raise JackRayError("MLflow is away")
        return self.version

    def fetched(self, version: str) -> Wanted:
        if self.is_full:
            raise OSError("No space left on device")
        if version in self.broken:
            raise JackRayError(f"version {version} was not made by python -m jack_ray.promote")
        return wanted(version)


def wanted(version: str) -> Wanted:
    return Wanted(version, f"/fetched/{version}", ("model.safetensors",))


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def watcher(registry: Registry) -> Iterator[Watcher]:
    made = Watcher(cast(Versions, registry), wanted("1"), 0.01)
    yield made
    made.stop()


def wait_until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_another_version_is_wanted_when_it_is_whole_on_this_machine(registry: Registry, watcher: Watcher) -> None:
    assert watcher.wanted == wanted("1")
    registry.version = "2"
    wait_until(lambda: watcher.wanted == wanted("2"))


def test_an_mlflow_that_is_away_is_told_and_changes_nothing(registry: Registry, watcher: Watcher) -> None:
    registry.is_away = True
    wait_until(lambda: watcher.trouble == "MLflow is away")
    assert watcher.wanted == wanted("1")
    registry.is_away, registry.version = False, "2"
    wait_until(lambda: watcher.trouble == "" and watcher.wanted == wanted("2"))


def test_a_version_that_cannot_be_fetched_is_told_and_the_next_one_is_taken(
    registry: Registry, watcher: Watcher
) -> None:
    registry.broken, registry.version = {"2"}, "2"
    wait_until(lambda: "version 2 was not made by" in watcher.trouble)
    assert watcher.wanted == wanted("1")
    registry.version = "3"
    wait_until(lambda: watcher.wanted == wanted("3"))


def test_a_full_disk_is_told_and_the_watch_goes_on(registry: Registry, watcher: Watcher) -> None:
    registry.is_full, registry.version = True, "2"
    wait_until(lambda: watcher.trouble == "No space left on device")
    registry.is_full = False
    wait_until(lambda: watcher.wanted == wanted("2"))


def test_nothing_is_asked_where_a_version_was_typed(registry: Registry) -> None:
    made = Watcher(cast(Versions, registry), wanted("1"), None)
    time.sleep(0.05)
    assert (registry.asked, made.wanted) == (0, wanted("1"))
