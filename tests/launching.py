"""`python -m jack_ray.launch` as a user starts it, in a folder of its own."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.environment import PACKAGE_PARENT, without_foreign_mpi
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.state import State, load_state

SMALL = ("model=tsl_small", "train.batch=4", "train.evaluate_every=10", "train.checkpoint_every=2")
"""The small model on a few videos; nothing that says how long."""


@dataclass(frozen=True)
class Bench:
    """A folder in which launches are typed."""

    folder: Path
    data: Path

    @property
    def runs(self) -> Path:
        """Where the trials lie."""
        return self.folder / "runs"

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a launch; its output goes to `out.log`."""
        self.folder.mkdir(exist_ok=True)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_"))}
        environment = without_foreign_mpi(inherited) | {"PYTHONPATH": str(PACKAGE_PARENT), "TERM": "dumb"}
        with self.log.open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "jack_ray.launch", *SMALL, f"data.root={self.data}", *words],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True,
            )  # fmt: skip

    def run(self, *words: str, timeout_s: float = 240.0) -> int:
        """A launch to its end; its exit code."""
        process = self.start(*words)
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"no end after {timeout_s:g} s:\n{self.output()}") from None

    @property
    def log(self) -> Path:
        """What the launches printed, one after the other."""
        return self.folder / "out.log"

    def output(self) -> str:
        """All of it."""
        return self.log.read_text()

    def trials(self) -> dict[str, TrialFolder]:
        """Trial id -> folder."""
        return {path.name: TrialFolder(path) for path in sorted((self.runs / "trials").glob("*")) if path.is_dir()}

    def states(self) -> dict[str, State]:
        """Trial id -> how it stands."""
        return {name: load_state(folder.state) for name, folder in self.trials().items()}

    def wait_for_checkpoint(self, timeout_s: float = 120.0) -> None:
        """Until a trial has one."""
        deadline = time.monotonic() + timeout_s
        while not list(self.runs.glob("trials/*/checkpoints/step-*/manifest.json")):
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.02)
