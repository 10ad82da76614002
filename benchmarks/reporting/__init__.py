"""What it costs to tell: a rank's events within its steps, and the way of the numbers into MLflow.

reporting_share: time inside reports / time of the steps, of a rank that trains a small preset on its demo data and
tells the numbers of every step. ours and rival are the seconds of a report and of a step, both of the same run.
mlflow_throughput: numbers that our writer brings from a trial's events into a new sqlite store, beside a plain loop
that calls mlflow.log_metrics for each step; the same numbers, both with one process.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import gangs
from benchmarks.figures import Figure, ratio
from benchmarks.options import Options
from jack_ray.contract import events
from jack_ray.contract.paths import TrialFolder, trial_folder
from jack_ray.contract.trial import Trial
from jack_ray.upload.protocol import SweepStarted, TrialStarted

SMALL = {"tsl": "tsl_small", "gait": "gait_smoke"}
STEPS = 60
TOLD = 300
"""Steps whose numbers go to MLflow."""
NUMBERS = 8
"""Of a step."""


def measure(options: Options) -> Iterator[Figure]:
    """The share of each small preset; then both ways into MLflow."""
    for method in options.choose(SMALL):
        found = [share_of(method) for _ in range(min(options.repeat, 3))]
        report_s, step_s = (median(one[name] for one in found) for name in ("report_s", "step_s"))
        yield Figure(f"report.{method}", "reporting_share", report_s / step_s, report_s, step_s, "s")
    if not options.only:
        rates = [(_ours(), _plain()) for _ in range(options.repeat)]
        ours, rival = (median(rate) for rate in zip(*rates, strict=True))
        yield ratio("mlflow", "mlflow_throughput", ours, rival, "numbers/s")


def share_of(method: str) -> dict[str, float]:
    """Seconds of a report and of a step."""
    with tempfile.TemporaryDirectory() as folder:
        data = gangs.demo_data(method, Path(folder))
        words = [f"model={SMALL[method]}", f"data.root={data}", f"train.steps={STEPS}", "train.log_every=1"]
        words += [f"train.{name}={STEPS}" for name in ("evaluate_every", "checkpoint_every")]
        path = gangs.new_trial(Path(folder) / "runs", words, ranks=1).trial
        found: dict[str, float] = gangs.run(1, "benchmarks.reporting.rank", [str(path)])[0]
        return found


def _values(step: int) -> dict[str, float]:
    return {f"train/term{number}": 1.0 / (step + number + 1) for number in range(NUMBERS)}


def _ours() -> float:
    """Numbers a second from a trial's events into MLflow, by what the writer does."""
    from jack_ray.upload.mlflow_store import MlflowStore
    from jack_ray.upload.trial import TrialDelivery

    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        started = _trained(trial_folder(Path(folder) / "runs", "tsl-a"))
        sweep = SweepStarted("lr-1", "tsl lr", "", uri, "jack_ray", "val/average_mAP", "max", 0.2, 2.0, False)
        store = MlflowStore(uri, "jack_ray")
        parent = store.create("tsl lr", {}, time.time())
        began = time.perf_counter()
        TrialDelivery(store, sweep, parent, started).deliver()
        rate = TOLD * NUMBERS / (time.perf_counter() - began)
        _check(uri)
    return rate


def _trained(folder: TrialFolder) -> TrialStarted:
    """A trial's folder, as its rank leaves it."""
    folder.path.mkdir(parents=True)
    Trial("tsl", {"name": "tsl"}, {"name": "tsl300", "root": "/data"}, {"lr": 1e-05}, "0", 1, 1).save(folder.trial)
    folder.config.write_text("model:\n  name: tsl\n")
    for step in range(1, TOLD + 1):
        events.append(folder.events, events.new("metrics", 1, step, _values(step)))
    return TrialStarted("tsl-a", str(folder.path), 1, "train.lr=1e-05")


def _plain() -> float:
    """The same numbers, told from within a loop."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("jack_ray")
        with mlflow.start_run():
            began = time.perf_counter()
            for step in range(1, TOLD + 1):
                mlflow.log_metrics(_values(step), step=step)
            rate = TOLD * NUMBERS / (time.perf_counter() - began)
        _check(uri)
    return rate


def _check(uri: str) -> None:
    """Both ways brought all numbers."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("jack_ray")
    assert experiment is not None
    runs = [run for run in client.search_runs([experiment.experiment_id]) if run.data.metrics]
    name = f"train/term{NUMBERS - 1}"
    assert [len(client.get_metric_history(run.info.run_id, name)) for run in runs] == [TOLD]
