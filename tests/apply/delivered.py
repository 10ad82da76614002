"""A trial in an MLflow of its own, as the writer delivers it."""

from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.paths import TrialFolder
from jack_ray.upload import SweepStarted, TrialStarted
from jack_ray.upload.protocol import Ending, TrialEnded


@dataclass(frozen=True)
class Delivered:
    """Where a trial's run is."""

    uri: str
    run_id: str
    folder: TrialFolder

    def words(self, *more: str) -> list[str]:
        """What is typed to promote it."""
        return [f"run={self.run_id}", "name=ours", f"tracking.uri={self.uri}", f"site.runs={self.runs}", *more]

    @property
    def runs(self) -> Path:
        """Where trials lie."""
        return self.folder.path.parents[1]


def deliver(folder: TrialFolder, place: Path, status: Ending = "finished") -> Delivered:
    """Deliver a trial to a new database in a folder."""
    from jack_ray.upload.mlflow_store import MlflowStore
    from jack_ray.upload.trial import TrialDelivery

    uri = f"sqlite:///{place / 'mlflow.db'}"
    store = MlflowStore(uri, "jack_ray")
    sweep = SweepStarted(
        sweep_id="lr-1234", name="tsl", command="python -m jack_ray.launch", uri=uri, experiment="jack_ray",
        metric="val/average_mAP", mode="max", flush_s=1.0, give_up_s=1.0, upload_checkpoints=True,
    )  # fmt: skip
    started = TrialStarted(folder.path.name, str(folder.path), 1, "trial", ())
    delivery = TrialDelivery(store, sweep, "", started, ended=TrialEnded(folder.path.name, status, ""))
    delivery.deliver()
    assert delivery.problems == []
    return Delivered(uri, delivery.record.run_id, folder)
