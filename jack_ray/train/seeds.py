"""Every random stream is a function of the trial's seed and a place, so nothing random needs to be saved.

Jittor's engine is a 31-bit linear generator whose neighbouring seeds give correlated streams (seed n is n times
the stream of seed 1), so seeds are hashed first.
"""

import hashlib


def seed_of(*place: int | str) -> int:
    """A seed in 2..2^31-2 for a place such as (trial seed, "dropout", step, position)."""
    text = "/".join(str(part) for part in place)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return 2 + number % (2**31 - 3)
