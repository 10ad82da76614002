"""The examples of BPM-GCN: one gait with both streams, its class and its affective features.

# C channels  T frames  V joints  K classes  F affective features of all frames
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.gait.augmentation import Moves, choose, move
from jack_ray.methods.gait.config import Config, DataConfig
from jack_ray.methods.gait.features import Gait
from jack_ray.methods.gait.sources import open_source
from jack_ray.methods.gait.split import indices
from jack_ray.methods.roles import Batch, Sample, Split

STACKED = ("posture", "movement", "affective", "targets")


class Data:
    """The gaits of a split.

    `val` is held out of the training gaits; with data.val_fraction=0 it is empty. With data.folds all gaits are dealt
    into parts by `seed`, each class in proportion, and part data.fold is `test`. Raises DataError with every fault.
    """

    separate = False

    def __init__(self, model: Config, data: DataConfig, split: Split, seed: int) -> None:
        self.model = model
        self.data = data
        self.labels = model.labels
        self.moves = Moves(data.angles_deg, data.scales, data.shifts)
        source, faults = open_source(data)
        if source is None:
            raise DataError(faults)
        self.source = source
        self.targets = _targets(source.targets, model, data)
        kinds = [tuple(float(value) for value in row) for row in source.targets]
        self.chosen = indices(source.own_split, kinds, data, split, seed)
        if not model.multi_label:
            _check_one_class(source.names, source.targets, data)

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> Sample:
        """One gait as it is; safe to call from several threads.

        posture (3, T, V), movement (8, T, V), affective (F,), targets (K,) of 0 and 1 in the order of model.labels,
        all float32; name. Raises DataError naming the file and the gait.
        """
        gait = self.source.read(self.chosen[index])
        frames = self.data.frames
        return self._sample(index, gait, choose(gait.posture, frames, None), choose(gait.movement, frames, None))

    def draw(self, index: int, seed: int) -> Sample:
        """The same, moved at random: posture and movement each in its own way."""
        if not self.data.augment:
            return self[index]
        generator = np.random.default_rng(seed)
        gait = self.source.read(self.chosen[index])
        frames = self.data.frames
        posture = move(choose(gait.posture, frames, generator), self.moves, generator)
        movement = choose(gait.movement, frames, generator)
        movement = move(movement, self.moves, generator, shift=self.data.shift_velocities)
        return self._sample(index, gait, posture, movement)

    def fit_together(self, samples: Sequence[Sample]) -> bool:
        """They are one batch anyway."""
        return True

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """One batch: arrays with a leading axis for gaits, and the list of names."""
        batch: Batch = {key: np.stack([sample[key] for sample in samples]) for key in STACKED}
        return [batch | {"names": [sample["name"] for sample in samples]}]

    def _sample(self, index: int, gait: Gait, posture: NDArray[np.float32], movement: NDArray[np.float32]) -> Sample:
        return {
            "name": self.source.names[self.chosen[index]],
            "posture": posture,
            "movement": movement,
            "affective": gait.affective,
            "targets": self.targets[self.chosen[index]],
        }


def _targets(targets: NDArray[np.float32], model: Config, data: DataConfig) -> NDArray[np.float32]:
    """The classes in the model's order instead of the files'."""
    return targets[:, [data.labels.index(label) for label in model.labels]]


def _check_one_class(names: Sequence[str], targets: NDArray[np.float32], data: DataConfig) -> None:
    wrong = np.flatnonzero(targets.sum(1) != 1)
    if len(wrong):
        found = (
            f"{len(wrong)} gaits with {int(targets[wrong[0]].sum())} or another number of classes ({names[wrong[0]]})"
        )
        remedy = "Type model.multi_label=true to learn several classes of a gait."
        raise DataError([Fault(data.root, found, "one class for every gait", remedy)])
