"""Method name -> its parts, by the names of its files."""

import importlib
from dataclasses import dataclass
from typing import Any

from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import read
from jack_ray.contract.trial import LATER, Trial
from jack_ray.methods.roles import DataRole, LossRole, MetricRole, Split
from jack_ray.methods.shared.kept_features import KeepsFeatures, Shelf


@dataclass(frozen=True)
class Settings:
    """A trial's nodes, typed."""

    model: Any
    data: Any
    train: TrainConfig


def typed(trial: Trial) -> Settings:
    """Hold the trial's nodes against their schemas. Raises ConfigError with every fault."""
    config = importlib.import_module(f"jack_ray.methods.{trial.method}.config")
    model, model_faults = read(config.Config, trial.model, "model")
    data, data_faults = read(config.DataConfig, trial.data, "data")
    train, train_faults = read(TrainConfig, LATER | trial.train, "train")
    faults: list[Fault] = [*model_faults, *data_faults, *train_faults]
    if faults or model is None or data is None or train is None:
        raise ConfigError(faults)
    return Settings(model, data, train)


class Parts:
    """The parts of one method, made on demand."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self._shelf: Shelf | None = None

    def use_shelf(self, shelf: Shelf | None) -> None:
        """Where the examples that are made from now on find kept features; None: nowhere."""
        self._shelf = shelf

    def furnish(self, data: DataRole) -> None:
        """Show examples that were made before where kept features are."""
        if self._shelf is not None and isinstance(data, KeepsFeatures):
            data.use_shelf(self._shelf)

    def _export(self, file: str, name: str) -> Any:
        return getattr(importlib.import_module(f"jack_ray.methods.{self.name}.{file}"), name)

    def data(self, split: Split) -> DataRole:
        """The examples of a split. Raises DataError."""
        settings = self.settings
        made: DataRole = self._export("data", "Data")(settings.model, settings.data, split, settings.train.seed)
        self.furnish(made)
        return made

    def model(self) -> Any:
        """A new model with random weights; seed Jittor first. From now on it is computed as `train` says."""
        from jack_ray.methods.shared import kernels  # not above: trials are read before Jittor may be loaded

        kernels.choose(self.settings.train.kernels, self.settings.train.precision)
        return self._export("model", "Model")(self.settings.model)

    def loss(self) -> LossRole:
        """The loss."""
        made: LossRole = self._export("loss", "Loss")(self.settings.model)
        return made

    def metric(self) -> MetricRole:
        """An empty metric."""
        made: MetricRole = self._export("metric", "Metric")(self.settings.model, self.settings.data)
        return made
