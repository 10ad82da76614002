"""Between two trials: this rank gives back what the last one took, and waits for the next."""

import ctypes
import gc

import jittor as jt

from jack_ray.contract.mailbox import Handed, Mailbox
from jack_ray.train.ranks import Ranks

LOOK_S = 0.005


def wait_for_next(mailbox: Mailbox, number: int) -> Handed:
    """Tell that all ranks have done with the last trial, and wait for the one of that number.

    The first rank looks, the others hear of it from her; none of them keeps a core busy meanwhile.
    """
    ranks = Ranks()
    if ranks.is_main:  # who has waited for the others when the trial ended
        mailbox.finish(number - 1)
    _give_back()
    handed: Handed = ranks.hear(lambda: mailbox.handed(number), LOOK_S)
    return handed


def _give_back() -> None:
    """Memory: of models and optimisers first, then what Jittor and the C library keep for later."""
    gc.collect()
    jt.sync_all(True)
    jt.gc()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
