"""Which of Jittor's operators this process has needed so far."""

from pathlib import Path


def loaded() -> set[str]:
    """The libraries of operators in this process: each is loaded once, whoever compiled it, and never let go."""
    mapped = (line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines())
    return {Path(path).name for path in mapped if path.endswith("_op.so")}
