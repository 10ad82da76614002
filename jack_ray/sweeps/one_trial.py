"""A trial of a sweep, by its id or the beginning of it."""

from jack_ray.contract.errors import JackRayError
from jack_ray.sweeps.find import begins, listed
from jack_ray.sweeps.standing import Standing


def trial_of(standing: Standing, word: str) -> str:
    """The id that a word is the beginning of. Raises JackRayError when there is none, or several."""
    ids = dict.fromkeys(trial.id for trial in standing.trials)
    if word in ids:
        return word
    alike = [trial for trial in ids if begins(trial, word)]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise JackRayError(f"--trial {word} is the beginning of {listed(alike)}; type more of it")
    raise JackRayError(f"{standing.id} has no trial {word}; there are {listed(ids) or 'none yet'}")
