"""Ids: of sweeps, trials and runs, and their beginnings."""

import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.sweeps.find import Found, Shelf
from tests.commands.shelf import RATES, SWEEP_RUN, TRIAL_RUN, Made, make, trial_with

OTHER = "tpe-2222222222"


def test_no_id_is_the_newest_sweep(made: Made) -> None:
    newer = make(made.runs, OTHER, began=2000.0)
    assert Shelf(made.runs).find() == Found(newer.folder)


def test_a_sweep_is_found_by_its_id_its_beginning_its_digits_or_its_folder(made: Made) -> None:
    make(made.runs, OTHER, began=2000.0)
    for word in ("grid-1111111111", "grid", "1111", f"{made.folder.path}/"):
        assert Shelf(made.runs).find(word) == Found(made.folder)


def test_a_trial_stands_for_itself_in_its_newest_sweep(made: Made) -> None:
    newer = make(made.runs, OTHER, began=2000.0)
    trial = trial_with(RATES[0]).id
    assert Shelf(made.runs).find(trial) == Found(newer.folder, trial)


def test_a_run_id_leads_to_its_trial_in_its_sweep_without_mlflow(made: Made) -> None:
    assert Shelf(made.runs).find(TRIAL_RUN) == Found(made.folder, trial_with(RATES[0]).id)
    assert Shelf(made.runs).find(SWEEP_RUN) == Found(made.folder)
    assert Shelf(made.runs).find(SWEEP_RUN[:8]) == Found(made.folder)


def test_a_beginning_of_several_ids_is_refused_with_all_of_them(made: Made) -> None:
    with pytest.raises(JackRayError, match=r"toy- is the beginning of 3 ids: toy-.*, toy-.*; type more of it"):
        Shelf(made.runs).find("toy-")


def test_an_unknown_id_is_told_with_the_nearest(made: Made) -> None:
    with pytest.raises(JackRayError, match="nothing is called gird-1111111111; did you mean grid-1111111111"):
        Shelf(made.runs).find("gird-1111111111")
    with pytest.raises(JackRayError, match="nothing is called xyz; there are grid-1111111111"):
        Shelf(made.runs).find("xyz")


def test_sweeps_that_were_moved_aside_are_not_listed(made: Made) -> None:
    made.folder.path.rename(f"{made.folder.path}.replaced-20260101")
    with pytest.raises(JackRayError, match="there is no sweep in"):
        Shelf(made.runs).find()
