"""Hosts for the tests of this folder, or the reason why there are none."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jack_ray.contract.environment import default_jittor_home
from tests.cluster.hosts import SSH_NEEDED, Hosts, why_not

ROOT = Path(__file__).parents[2]


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
    shared = [ROOT, Path(sys.prefix), Path(sys.base_prefix), default_jittor_home(), tmp_path_factory.getbasetemp()]
    with Hosts(3, shared, {"PYTHONPATH": str(ROOT), "USER": os.environ.get("USER", "root")}) as made:
        yield made
