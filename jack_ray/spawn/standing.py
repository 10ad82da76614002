"""A gang that stays when its trial has ended, so that the next one finds its ranks started and Jittor imported."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from jack_ray.contract import mailbox
from jack_ray.contract.mailbox import Handed, Mailbox
from jack_ray.contract.paths import TrialFolder
from jack_ray.spawn.process import Gang

VARYING = frozenset({"JACK_RAY_ATTEMPT"})
"""Of a rank's environment; a trial that is handed over brings its own."""


class Standing:
    """The ranks on this machine alone, and what they are handed. Attempts follow each other, one at a time."""

    def __init__(
        self, folder: TrialFolder, argv: Sequence[str], environment: Mapping[str, str], ranks: Sequence[int]
    ) -> None:
        self._environment = dict(environment)
        self._place = Path(tempfile.mkdtemp(prefix="jack_ray-ranks-"))
        self._mailbox = Mailbox(self._place)
        self._number = 0
        self._log = self._place / "launcher.log"
        self._told = 0
        variables = {**environment, mailbox.VARIABLE: str(self._place)}
        self.gang = Gang(folder, argv, variables, ranks, log=self._log)

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether the ranks live and were started as such ones would be now, but for the attempt."""
        different = {*environment.items()} ^ {*self._environment.items()}
        return {key for key, _ in different} <= VARYING and self.gang.poll() is None

    def hand(self, folder: TrialFolder, attempt: int) -> None:
        """Give the ranks their next trial; they have done with the last one."""
        self._number += 1
        self.gang.turn_to(folder)
        self._mailbox.hand(self._number, Handed(str(folder.trial), attempt))

    @property
    def is_done(self) -> bool:
        """Whether all ranks have done with what they were handed last."""
        return self._mailbox.is_done(self._number)

    def pass_on_log(self) -> None:
        """What the starter of the ranks has said since the last call goes to the trial's launcher log."""
        with suppress(OSError), self._log.open("rb") as log:
            log.seek(self._told)
            said = log.read()
            self._told += len(said)
            if said:
                self.gang.folder.launcher_log.parent.mkdir(parents=True, exist_ok=True)
                with self.gang.folder.launcher_log.open("ab") as told:
                    told.write(said)

    def stop(self, timeout_s: float) -> None:
        """End the ranks; returns when none is left."""
        self.gang.stop(timeout_s)
        self.pass_on_log()
        shutil.rmtree(self._place, ignore_errors=True)
