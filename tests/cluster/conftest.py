"""Hosts for the tests of this folder, or the reason why there are none."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.hosts import SSH_NEEDED, Hosts, why_not
from tests.cluster.stage import Play, Stage

ROOT = Path(__file__).parents[2]
SHARED = [ROOT, Path(sys.prefix), Path(sys.base_prefix)]
"""This repository and this interpreter, should they lie below /tmp."""


@pytest.fixture(scope="session")
def hosts_possible() -> None:
    """Skips where hosts cannot be made."""
    reason = why_not()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def ssh_possible(hosts_possible: None) -> None:
    """Skips where nobody can log in to hosts."""
    reason = why_not(SSH_NEEDED)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def hosts(hosts_possible: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """Three hosts that share this repository, this interpreter, Jittor's cache and the tests' folders."""
    with Hosts(3, [*SHARED, tmp_path_factory.getbasetemp()], {"PYTHONPATH": str(ROOT)}) as made:
        yield made


@pytest.fixture(scope="package")
def stage(
    hosts_possible: None, tmp_path_factory: pytest.TempPathFactory, demo_data: Path, jittor_home: Path
) -> Iterator[Stage]:
    """A Ray cluster of three hosts with two cores each."""
    folder = tmp_path_factory.mktemp("stage")
    with Hosts(3, [*SHARED, jittor_home, tmp_path_factory.getbasetemp()], small_mb=120) as made:
        found = Stage(made, folder, demo_data, jittor_home)
        found.start()
        yield found


@pytest.fixture(scope="package")
def undisturbed(stage: Stage) -> Play:
    """The trial that nothing disturbs, over three hosts."""
    play = stage.bench("undisturbed")
    assert play.run() == 0, play.output()
    return play
