"""python -m benchmarks.sweep.by_tune TRIAL FOLDER RANKS TRIALS: the sweep by Ray Tune and Ray Train (Torch, gloo)."""

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
import torch
from ray import train, tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.train import Checkpoint, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer
from ray.tune.integration.ray_train import TuneReportCallback

from benchmarks.sweep.work import rates
from benchmarks.torch_models.train import Rank
from jack_ray.contract.trial import load_trial


def work(config: dict[str, Any]) -> None:
    """One worker of a trial."""
    trial = load_trial(Path(config["trial"]))
    trial = replace(trial, train=trial.train | {"lr": config["lr"]})
    context = train.get_context()
    size = context.get_world_size()

    def reduce(value: Any) -> list[Any]:
        gathered: list[Any] = [None] * size
        torch.distributed.all_gather_object(gathered, value)
        return gathered

    def join(model: Any) -> None:
        for parameter in model.parameters():
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)

    rank = Rank(trial, context.get_world_rank(), size, reduce, join)
    values = {name.replace("@", "_at_"): value for name, value in rank.fit()["values"].items()}  # MLflow takes no @
    with tempfile.TemporaryDirectory() as folder:
        if context.get_world_rank() == 0:
            torch.save({"model": rank.model.state_dict(), "rule": rank.rule.state_dict()}, Path(folder) / "state.pt")
        train.report(values, checkpoint=Checkpoint.from_directory(folder))


def drive(config: dict[str, Any]) -> None:
    """One trial, as Ray's manual has it: a function of Tune that runs a trainer of Train."""
    trainer = TorchTrainer(
        work,
        train_loop_config=config,
        torch_config=TorchConfig(backend="gloo"),
        scaling_config=ScalingConfig(num_workers=config["ranks"], resources_per_worker={"CPU": 1}),
        run_config=RunConfig(
            name=f"lr-{config['lr']}", storage_path=config["folder"], callbacks=[TuneReportCallback()]
        ),
    )
    trainer.fit()


def main() -> None:
    """Run the sweep."""
    file, folder, ranks, trials = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    ray.init(include_dashboard=False, num_cpus=os.cpu_count(), resources={"driver": trials}, log_to_driver=False)
    common = {"trial": file, "folder": folder, "ranks": ranks}
    tracking = MLflowLoggerCallback(tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="tune")
    tuner = tune.Tuner(
        tune.with_resources(drive, {"driver": 1}),  # the cores are for the workers
        param_space=common | {"lr": tune.grid_search(rates(trials))},
        tune_config=tune.TuneConfig(max_concurrent_trials=max(1, (os.cpu_count() or 1) // ranks)),
        run_config=tune.RunConfig(name="sweep", storage_path=folder, callbacks=[tracking], verbose=0),
    )
    found = tuner.fit()
    assert found.num_errors == 0, found.errors
    assert len(found) == trials
    ray.shutdown()


if __name__ == "__main__":
    main()
