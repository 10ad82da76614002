"""A trial whose like has run before does not wait for a compiler."""

import fcntl
from pathlib import Path

import pytest

from tests.training import new_trial, train

pytestmark = pytest.mark.rank

WAIT_S = 60.0
"""After which a rank without a sign of life is given up; the trial takes a few seconds."""


def test_a_trial_of_a_known_graph_trains_while_another_process_compiles(
    tmp_path: Path, demo_data: Path, jittor_home: Path
) -> None:
    first = new_trial(tmp_path, demo_data)
    assert train(first, jittor_home).ended.status == "finished"
    locks = list(jittor_home.glob(".cache/jittor/jt*/*/*/*/*/*/jittor.lock"))
    assert locks
    opened = [path.open("r+b") for path in locks]
    try:
        for lock in opened:
            fcntl.lockf(lock.fileno(), fcntl.LOCK_EX)  # as Jittor's compiler holds it
        like = new_trial(tmp_path, demo_data, "train.lr=3e-3", "train.seed=3")
        assert like.path != first.path
        told = train(like, jittor_home, timeout_s=WAIT_S)
    finally:
        for lock in opened:
            lock.close()
    assert told.ended.status == "finished", told.message
