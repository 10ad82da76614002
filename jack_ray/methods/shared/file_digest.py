"""A few digits that tell whether a large file is another one."""

import hashlib
import os
from pathlib import Path

SAMPLED_BYTES = 4096


def sampled_digest(path: Path) -> str:
    """A digest of a file's beginning, end and size, quick for thousands of files."""
    with path.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        content = opened.read(SAMPLED_BYTES)
        opened.seek(max(SAMPLED_BYTES, size - SAMPLED_BYTES))
        content += opened.read(SAMPLED_BYTES)
    return hashlib.sha256(content + str(size).encode()).hexdigest()
