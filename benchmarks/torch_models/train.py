"""A trial of TSL-Net in plain PyTorch: the same data, order of samples, steps and evaluations as ours.

Data and metric are jack_ray's own, which are NumPy; only the network, its gradients and the optimiser are PyTorch's.
"""

import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.torch_models import tsl
from jack_ray.contract.trial import Trial
from jack_ray.methods.tsl.data import Data
from jack_ray.methods.tsl.metric import Metric
from jack_ray.train.method import typed
from jack_ray.train.order import share, step_samples

SumGradients = Callable[[Any], None]
Tell = Callable[[int, float], None]


class Rank:
    """One of the processes of a trial."""

    def __init__(self, trial: Trial, rank: int, size: int, reduce: Callable[[Any], Any], join: SumGradients) -> None:
        """reduce: every rank's value on every rank, a list. join: add up the gradients of a model over ranks."""
        torch.set_num_threads(trial.threads)
        torch.manual_seed(trial.train["seed"])
        self.trial, self.rank, self.size = trial, rank, size
        self.reduce, self.join = reduce, join
        self.settings = typed(trial)
        self.model = tsl.Model(self.settings.model)
        groups = self.model.parameters_to_train()
        rates = [1.0, self.settings.model.audio_rate]
        train = self.settings.train
        self.rule = torch.optim.Adam(
            [{"params": group, "lr": train.lr * rate} for group, rate in zip(groups, rates, strict=True)],
            betas=train.betas, eps=train.eps, weight_decay=train.weight_decay,
        )  # fmt: skip
        self.data = Data(self.settings.model, self.settings.data, "train", train.seed)
        self.metric = Metric(self.settings.model, self.settings.data)
        """Of the last evaluation."""

    def fit(self, tell: Tell = lambda number, loss: None) -> dict[str, Any]:
        """All steps; when the first one ended, when all did, and the last evaluation.

        tell: is given the number of each step that is to be logged, and its loss.
        """
        train = self.settings.train
        first, values = 0.0, {}
        for number in range(train.steps):
            loss = self.step(number)
            if (number + 1) % train.log_every == 0:
                tell(number + 1, float(loss))
            first = first or time.time()
            if (number + 1) % train.evaluate_every == 0 or number + 1 == train.steps:
                values = self.evaluate("val")
        if train.test_at_end:
            values = self.evaluate("test")
        return {"first_step": first, "ended": time.time(), "values": values}

    def step(self, number: int) -> Any:
        """One update; its loss, the mean over this rank's samples."""
        train = self.settings.train
        indices = step_samples(len(self.data), train.batch, train.seed, number).indices
        self.model.train()
        self.rule.zero_grad(set_to_none=False)
        whole = torch.zeros(())
        for position in share(len(indices), self.rank, self.size):
            for batch in self.data.collate([self.data.draw(indices[position], 0)]):
                loss = tsl.loss(self.model, batch, self.settings.model) / len(indices)
                loss.backward()
                whole += loss.detach()
        self.join(self.model)
        self.rule.step()
        return whole

    def evaluate(self, split: Any) -> dict[str, float]:
        """The metric of a split."""
        self.model.eval()
        data = Data(self.settings.model, self.settings.data, split, self.settings.train.seed)
        metric = Metric(self.settings.model, self.settings.data)
        with torch.no_grad():
            for index in share(len(data), self.rank, self.size):
                for batch in data.collate([data[index]]):
                    video_scores, scores = self.model(batch)
                    metric.update({"video_scores": video_scores.numpy(), "scores": scores.numpy()}, batch)
        whole = Metric(self.settings.model, self.settings.data)
        for state in self.reduce(metric.state()):
            whole.merge(state)
        self.metric = whole
        return {name: float(value) for name, value in whole.result().items()}
