"""`fresh=true`: what a trial or sweep left is moved aside, never deleted."""

import fcntl
from datetime import datetime
from pathlib import Path

from jack_ray.contract.errors import PlaceError


def retire(folder: Path, lock: Path) -> None:
    """Move a folder to `<name>.replaced-<time>`; nothing to do if there is none.

    Raises PlaceError if another driver uses it at this moment.
    """
    if not folder.exists():
        return
    with lock.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PlaceError(
                f"{folder} is in use by another launch; wait for it or stop it, then type fresh=true"
            ) from error
        moment = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")
        folder.rename(folder.with_name(f"{folder.name}.replaced-{moment}"))
