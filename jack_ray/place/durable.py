"""What must be written down before the sweep goes on waits for a full disk, and loses nothing."""

import errno
import time
from collections.abc import Callable
from typing import TypeVar

AGAIN_S = 2.0
_FULL = (errno.ENOSPC, errno.EDQUOT)

T = TypeVar("T")


def durably(action: Callable[[], T], say: Callable[[str], None]) -> T:
    """Do it, again and again while the disk is full; whoever runs meanwhile falls silent and is started anew later."""
    told = False
    while True:
        try:
            return action()
        except OSError as error:
            if error.errno not in _FULL:
                raise
            if not told:
                say(f"No space left for {error.filename or 'the runs folder'}: waiting until some is freed ...")
                told = True
        time.sleep(AGAIN_S)
