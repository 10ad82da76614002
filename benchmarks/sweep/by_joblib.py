"""python -m benchmarks.sweep.by_joblib --multirun hydra/launcher=joblib +trial=.. +folder=.. +lr=.. +keeps=..

The sweep in hydra's way. keeps=all: MLflow gets of a trial what ours leaves there: the loss of each step, the numbers
of the evaluation, the checkpoint, and the same pictures. keeps=numbers: those of the evaluation alone.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import hydra
import mlflow
import torch

from benchmarks.torch_models.train import Rank
from jack_ray.contract.trial import load_trial


@hydra.main(version_base=None, config_path=None)
def main(config: Any) -> None:
    """One trial in one of joblib's processes."""
    trial = load_trial(Path(config.trial))
    trial = replace(trial, train=trial.train | {"lr": float(config.lr)})
    mlflow.set_tracking_uri(f"sqlite:///{config.folder}/mlflow.db")
    mlflow.set_experiment(Path(config.folder).name)  # which stands already
    with mlflow.start_run():
        mlflow.log_params({"lr": config.lr})
        rank = Rank(trial, 0, 1, lambda value: [value], lambda model: None)
        if config.keeps == "all":
            values = rank.fit(lambda number, loss: mlflow.log_metrics({"train/total": loss}, step=number))["values"]
            _log_files(rank)
        else:
            values = rank.fit()["values"]
            torch.save(_state(rank), f"{config.folder}/{config.lr}.pt")
        mlflow.log_metrics({name.replace("@", "_at_"): value for name, value in values.items()})


def _log_files(rank: Rank) -> None:
    with tempfile.TemporaryDirectory() as folder:
        torch.save(_state(rank), Path(folder) / "state.pt")
        rank.metric.pictures(Path(folder))
        mlflow.log_artifacts(folder)


def _state(rank: Rank) -> dict[str, Any]:
    return {"model": rank.model.state_dict(), "rule": rank.rule.state_dict()}


if __name__ == "__main__":
    main()
