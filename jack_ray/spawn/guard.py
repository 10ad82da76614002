"""Runs one command as a process tree that cannot outlive its owner: `python -SE guard.py LEASE_S COMMAND...`

Standard input is the lease: each byte renews it; its end, or LEASE_S seconds of silence, ends the tree. Three
kernel features make it hold (prctl(2)):

- the guard is a child subreaper: an orphan of the tree, however it detached itself, becomes the guard's child;
- the command dies with the guard (PDEATHSIG), so that SIGKILL of the guard takes the command along, too;
- the tree is asked first (SIGTERM, GRACE_S), then every descendant is killed until none is left.

Exit code: the command's, 128 + n for signal n, 124 when the lease ended or the guard was told to stop.
Standard library only, started without site packages: it must be up before its owner can die.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

GRACE_S = 5.0
ENDED_BY_OWNER = 124
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent thread ends; exit at once if that has happened."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def descendants(root: int) -> list[int]:
    """All living processes below `root`, parents before children."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as opened:
                text = opened.read()
        except OSError:
            continue  # it ended between the listing and the reading
        state, parent = text[text.rindex(")") + 2 :].split()[:2]
        if state != "Z":
            children.setdefault(int(parent), []).append(int(name))
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.extend(below)
        waiting.extend(below)
    return found


class Guard:
    """One command and everything that comes of it."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self.exit_code: int | None = None
        self.told_to_stop = False
        self.command = 0
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        with contextlib.suppress(PermissionError):
            os.setsid()  # already a session leader: fine
        for ignored in (signal.SIGHUP, signal.SIGINT):
            signal.signal(ignored, signal.SIG_IGN)
        self.woken, wake = os.pipe()
        for end in (self.woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self.told_to_stop = True

    def start(self, argv: list[str]) -> None:
        """Fork and become the command; 127 if it cannot be started."""
        guard = os.getpid()
        kinds = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
        signal.pthread_sigmask(signal.SIG_BLOCK, kinds)  # a hint that comes before the command does is kept for it
        self.command = os.fork()
        if self.command:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, kinds)
            return
        die_with_parent(guard)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.set_wakeup_fd(-1)
        for kind in kinds:
            signal.signal(kind, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, kinds)
        try:
            os.execvp(argv[0], argv)
        except OSError as error:
            sys.stderr.write(f"guard: cannot start {argv[0]}: {error}\n")
            os._exit(127)

    def reap(self) -> bool:
        """Collect what has ended; False when no child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.command:
                self.exit_code = os.waitstatus_to_exitcode(status)

    def wait(self) -> bool:
        """Until the command ends (True), or the owner is gone, silent or says stop (False)."""
        renewed = time.monotonic()
        while True:
            rest = max(0.0, renewed + self.lease_s - time.monotonic())
            ready = select.select([0, self.woken], [], [], rest)[0]
            if self.woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.woken, 4096)
            self.reap()
            if self.exit_code is not None:
                return True
            if 0 in ready:
                if not os.read(0, 4096):
                    return False
                renewed = time.monotonic()
            if self.told_to_stop or time.monotonic() >= renewed + self.lease_s:
                return False

    def end_tree(self, grace_s: float) -> None:
        """Ask the command to end, then leave nothing of the tree alive."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.command, signal.SIGTERM)
            deadline = time.monotonic() + grace_s
            while self.exit_code is None and time.monotonic() < deadline:
                self.reap()
                time.sleep(0.02)
        while True:
            for pid in descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not self.reap():
                return
            time.sleep(0.01)


def main(argv: list[str]) -> int:
    """Run `argv[1:]` under a lease of `argv[0]` seconds."""
    guard = Guard(float(argv[0]))
    guard.start(argv[1:])
    ended_itself = guard.wait()
    guard.end_tree(GRACE_S)
    if not ended_itself:
        return ENDED_BY_OWNER
    code = guard.exit_code or 0
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
