"""The control loop's side of tracking: what the one MLflow writer is told of a trial."""

from jack_ray.place.entry import Entry
from jack_ray.upload import NoWriter, TrialStarted, Writer
from jack_ray.upload.protocol import Ending


class WriterTracker:
    """Tells the writer process; never waits for MLflow. gpus: of one trial."""

    def __init__(self, writer: Writer | NoWriter, gpus: float) -> None:
        self._writer = writer
        self._gpus = gpus

    def begin(self, entry: Entry, attempt: int) -> None:
        """A trial starts, goes on, or is found finished."""
        trial = entry.trial
        name = " ".join(entry.point.overrides) or trial.method
        tags = {"jack_ray.method": trial.method, "jack_ray.ranks": str(trial.ranks)}
        started = TrialStarted(trial.id, str(entry.folder.path), attempt, name, entry.point.overrides, tags)
        self._writer.trial_started(started)

    def end(self, trial_id: str, status: Ending, message: str, hours: float) -> None:
        """A trial ended after so many hours of all its attempts."""
        numbers = {"hours": hours, "gpu_hours": hours * self._gpus}
        self._writer.trial_ended(trial_id, status, message, numbers)

    def warning(self) -> str:
        """What the user should know of the tracking now; usually nothing."""
        return self._writer.warning()
