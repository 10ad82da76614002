"""What a checkpoint's folder says of itself, so that it can be used wherever it is copied to."""

import json
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.trial import Trial

MODEL = "model.safetensors"
ABOUT = "about.json"


@dataclass(frozen=True)
class About:
    """Which model the weights belong to, and what its outputs mean."""

    trial: Trial
    labels: tuple[str, ...]
    """The classes in the order of the model's outputs."""


def load_about(folder: Path) -> About:
    """Read a checkpoint's description. Raises JackRayError naming the file when there is none, or a damaged one."""
    path = folder / ABOUT
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return About(Trial(**values["trial"]), tuple(values["labels"]))
    except FileNotFoundError:
        raise JackRayError(
            f"{folder} is no checkpoint: it has no {ABOUT}. Expected a folder such as "
            "runs/trials/<trial>/checkpoints/step-00000100."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JackRayError(f"{path} is damaged ({error}); use another checkpoint of the trial.") from error
