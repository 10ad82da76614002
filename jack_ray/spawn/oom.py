"""Whether this machine's kernel killed a process for memory since a moment."""

from pathlib import Path


def oom_kills() -> int:
    """How many processes the kernel has killed for memory since it started; 0 where it does not tell."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("oom_kill ")))
    except (OSError, StopIteration, ValueError):
        return 0
