"""python -m benchmarks.sweep.by_joblib --multirun hydra/launcher=joblib +trial=.. +folder=.. +lr=..: hydra's way."""

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
    mlflow.set_experiment("joblib")
    with mlflow.start_run():
        mlflow.log_params({"lr": config.lr})
        rank = Rank(trial, 0, 1, lambda value: [value], lambda model: None)
        values = rank.fit()["values"]
        mlflow.log_metrics({name.replace("@", "_at_"): value for name, value in values.items()})
        torch.save(
            {"model": rank.model.state_dict(), "rule": rank.rule.state_dict()}, f"{config.folder}/{config.lr}.pt"
        )


if __name__ == "__main__":
    main()
