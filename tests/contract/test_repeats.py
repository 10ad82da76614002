from math import sqrt

from jack_ray.contract.repeats import Spread, spreads


def test_the_deviation_is_that_of_a_sample() -> None:
    trials = [{"test/accuracy": value} for value in (0.2, 0.4, 0.9)]
    # by hand: mean 0.5, squares 0.09 + 0.01 + 0.16 = 0.26, divided by n - 1 = 2
    found = spreads(trials)["test/accuracy"]
    assert (round(found.mean, 12), found.count) == (0.5, 3)
    assert abs(found.deviation - sqrt(0.13)) < 1e-12


def test_a_single_trial_has_no_spread() -> None:
    assert spreads([{"a": 3.0}]) == {"a": Spread(3.0, 0.0, 1)}


def test_only_numbers_that_all_trials_have_are_averaged() -> None:
    assert list(spreads([{"a": 1.0, "b": 2.0}, {"b": 4.0, "c": 1.0}])) == ["b"]
    assert spreads([]) == {}
