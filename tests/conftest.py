"""What all tests share: Jittor compiled once, demo data generated once."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jack_ray.contract.environment import default_jittor_home, interpreter, jittor_variables, pin_platform
from jack_ray.methods.tsl.demo import generate
from jack_ray.place.ray_environment import ray_variables
from jack_ray.spawn.preflight import prepare


def pytest_configure(config: pytest.Config) -> None:
    # absolute from here on: the ranks' environment has another HOME
    os.environ["JACK_RAY_JITTOR_HOME"] = str(default_jittor_home().absolute())
    # a shell that starts the tests in the background has children ignore Ctrl-C, which some tests send
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def jittor_home() -> Path:
    """Where Jittor's core stands compiled; this process may import it from now on."""
    home = default_jittor_home()
    prepare(home, lambda words, share: None)
    os.environ |= jittor_variables(home, threads=1)
    pin_platform()
    sys.executable = interpreter()
    return home


@pytest.fixture(autouse=True)
def _jittor_where_it_is_needed(request: pytest.FixtureRequest) -> Iterator[None]:
    marks = {mark.name for mark in request.node.iter_markers()}
    if marks & {"rank", "ray"}:
        request.getfixturevalue("jittor_home")
    if "ray" in marks and "ray" not in sys.modules:
        os.environ |= ray_variables(None)  # a process's Ray reads its token once, while it is imported
    if "jittor" in sys.modules:
        # Jittor's own handler would end this process when a child is killed.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if "rank" in marks and "jittor" in sys.modules:
        # A full-width model takes gigabytes, which Jittor would keep for the next one.
        gc.collect()
        sys.modules["jittor"].gc()


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Demo data that no test changes; small, since every rank test trains on it."""
    root = tmp_path_factory.mktemp("demo_data") / "VideoSenti"
    generate(root, train=12, test=3, seed=1, snippets=(8, 12))
    return root
