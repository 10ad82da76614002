"""The process behind the wall that a served model computes in, kept from request to request."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from jack_ray.contract.environment import interpreter, rank_environment
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.files import write_json
from jack_ray.contract.order import Order
from jack_ray.spawn import preflight

MODULE = "jack_ray.train.serve"

STANDARD_ERROR = 2
"""Standard output belongs to whoever asks: `mlflow models predict` prints its answer there."""


class Computing:
    """Starts the process when it is first asked, and anew when it has died; asked by one thread at a time.

    A process that was forked from the one which started it starts its own.
    """

    def __init__(self, order: Order, jittor_home: Path, threads: int | None = None, log: Path | None = None) -> None:
        """threads: of the process; None: all of this machine's cores. log: what it says; None: standard error."""
        self.order = order
        self.jittor_home = jittor_home
        self.threads = threads or os.cpu_count() or 1
        self.log = log
        self.finds_segments = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._answers: IO[str] | None = None
        self._owner = 0

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        process = self._process
        return None if process is None else process.pid

    def ask(self, inputs: Sequence[str], timeline: bool = False) -> list[dict[str, Any]]:
        """An answer for each path; `timeline`: with how it changes over the video.

        Raises JackRayError when the process ends; PreflightError when it cannot start.
        """
        with self._lock:
            try:
                process, answers = self._running()
                assert process.stdin is not None
                process.stdin.write(json.dumps({"inputs": list(inputs), "timeline": timeline}) + "\n")
                process.stdin.flush()
                found: list[dict[str, Any]] = self._line(answers)["answers"]
            except BrokenPipeError:
                raise self._ended() from None
            except BaseException:  # Ctrl-C: its answer must not be taken for that of the next question
                self.close()
                raise
            return found

    def interrupt(self) -> None:
        """End the process from another thread than the one that asks, which is then told that it has ended."""
        process = self._process
        if process is not None and self._owner == os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process; the next question starts another."""
        process, answers = self._process, self._answers
        self._process = self._answers = None
        if process is None or self._owner != os.getpid():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with what compiles for it
        process.wait()
        for pipe in (process.stdin, answers):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _running(self) -> tuple["subprocess.Popen[str]", IO[str]]:
        if self._process is None or self._answers is None or self._owner != os.getpid():
            self._start()
        assert self._process is not None
        assert self._answers is not None
        return self._process, self._answers

    def _start(self) -> None:
        preflight.prepare(self.jittor_home, _Told())
        environment = rank_environment(self.jittor_home, self.threads) | {"JACK_RAY_GPU": "0"}
        with tempfile.TemporaryDirectory(prefix="jack_ray-") as folder, self._output() as output:
            path = Path(folder) / "order.json"
            write_json(path, asdict(self.order))
            self._process, self._answers = self._spawned(path, environment, output)
            self._owner = os.getpid()
            self.finds_segments = bool(self._line(self._answers)["finds_segments"])  # it has read the order by now

    @staticmethod
    def _spawned(
        order: Path, environment: Mapping[str, str], output: IO[bytes] | int
    ) -> tuple["subprocess.Popen[str]", IO[str]]:
        """The process, and what its answers are read from."""
        reading, writing = os.pipe()
        try:
            process = subprocess.Popen(
                [interpreter(), "-m", MODULE, str(order), str(writing)],
                env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output,
                pass_fds=(writing,), text=True, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return process, os.fdopen(reading, encoding="utf-8")

    @contextlib.contextmanager
    def _output(self) -> Iterator[IO[bytes] | int]:
        """Where the process writes what it says, from its start on."""
        if self.log is None:
            yield STANDARD_ERROR
            return
        with self.log.open("wb") as opened:
            yield opened

    def _line(self, answers: IO[str]) -> dict[str, Any]:
        line = answers.readline()
        if not line.endswith("\n"):
            raise self._ended()
        value: dict[str, Any] = json.loads(line)
        return value

    def _ended(self) -> JackRayError:
        process = self._process
        code = process.wait() if process is not None else None
        self.close()
        told = f"The process that computes ended with code {code}"
        if self.log is None:
            return JackRayError(f"{told}; what it said is on standard error.")
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return JackRayError("\n".join([f"{told}: {lines[-1] if lines else 'it said nothing'}", *lines[-5:-1]]))


class _Told:
    """Says once what takes minutes; a server's log is no place for a growing percentage."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, phase: str, share: float) -> None:
        if phase not in self._said:
            self._said.add(phase)
            print(phase, file=sys.stderr, flush=True)
