"""Between two trials: this rank gives back what the last one took, and waits for the next."""

import contextlib
import ctypes
import gc
import os

import jittor as jt

from jack_ray.contract.mailbox import Handed, Mailbox
from jack_ray.train.ranks import Ranks

LOOK_S = 0.005
ONEDNN = "libdnnl.so.2"
PRIMITIVES = 1024
"""That oneDNN keeps of itself, the number it starts with."""


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
    """Memory: of models and optimisers first, then what Jittor, oneDNN and the C library keep for later."""
    gc.collect()
    jt.sync_all(True)
    jt.gc()
    _forget_primitives()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _forget_primitives() -> None:
    """Those compiled for the shapes of the last trial; the next one's may be others."""
    with contextlib.suppress(OSError):  # a GPU computes, and oneDNN was never loaded
        library = ctypes.CDLL(ONEDNN, mode=os.RTLD_NOLOAD)
        for capacity in (0, PRIMITIVES):
            library.dnnl_set_primitive_cache_capacity(capacity)
