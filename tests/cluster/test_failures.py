"""Whatever is lost while a trial trains on three hosts: it ends with the same bits, and nothing is left anywhere."""

import sqlite3

import pytest

from tests.cluster.faults import FAULTS, MAY_END_FIRST, Outcome, fill_the_disk, lose_mlflow, suffer
from tests.cluster.stage import Play, Stage

pytestmark = [pytest.mark.alone, pytest.mark.cluster, pytest.mark.rank, pytest.mark.ray]


def holds(outcome: Outcome) -> None:
    """It survived, bit for bit and tidily."""
    assert outcome.survived, outcome.output
    assert "Traceback" not in outcome.output
    assert outcome.orphans == ()
    assert outcome.equal, outcome.output


@pytest.mark.parametrize("what", FAULTS)
def test_the_trial_goes_on_to_the_same_numbers_when(stage: Stage, undisturbed: Play, what: str) -> None:
    outcome = suffer(stage, undisturbed, what, what.replace(" ", "_"))
    holds(outcome)
    assert outcome.recovery_s is not None or what in MAY_END_FIRST, outcome.output


def test_the_trial_goes_on_to_the_same_numbers_when_the_disk_is_full(stage: Stage, undisturbed: Play) -> None:
    holds(fill_the_disk(stage, undisturbed, "full"))


@pytest.mark.mlflow
def test_nothing_that_was_told_is_lost_when_mlflow_goes_away(stage: Stage, undisturbed: Play) -> None:
    outcome, database = lose_mlflow(stage, undisturbed, "mlflow")
    holds(outcome)
    assert outcome.recovery_s is None
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        statuses = [status for (status,) in store.execute("SELECT status FROM runs")]
        found = store.execute("SELECT step FROM metrics WHERE key = 'train/total' ORDER BY step").fetchall()
    (_, numbers) = next(iter(undisturbed.result().values()))
    assert set(statuses) == {"FINISHED"}
    assert [step for (step,) in found] == sorted(step for step, name in numbers if name == "metrics train/total")
