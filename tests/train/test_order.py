import numpy as np
import pytest

from jack_ray.train.order import share, step_samples
from jack_ray.train.seeds import seed_of


@pytest.mark.parametrize("num_samples", [0, 1, 2, 5, 7, 16, 17, 100])
@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 7, 16])
def test_no_sample_is_lost_or_doubled_among_ranks(num_samples: int, ranks: int) -> None:
    parts = [share(num_samples, rank, ranks) for rank in range(ranks)]
    assert [position for part in parts for position in part] == list(range(num_samples))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("num_samples", "batch"), [(16, 4), (17, 4), (10, 3), (5, 5), (3, 8), (1, 1)])
def test_an_epoch_takes_every_sample_at_most_once_and_leaves_less_than_a_batch_out(
    num_samples: int, batch: int
) -> None:
    steps = max(1, num_samples // batch)
    for epoch in range(3):
        taken = [step_samples(num_samples, batch, 1, epoch * steps + place) for place in range(steps)]
        assert {step.epoch for step in taken} == {epoch}
        seen = [index for step in taken for index in step.indices]
        assert len(set(seen)) == len(seen)
        assert num_samples - len(seen) < batch
        assert all(len(step.indices) == min(batch, num_samples) for step in taken)


def test_every_epoch_and_every_seed_has_its_own_order() -> None:
    def order(seed: int, epoch: int) -> tuple[int, ...]:
        return step_samples(32, 32, seed, epoch).indices

    assert len({order(seed, epoch) for seed in (1, 2, 3) for epoch in (0, 1, 2)}) == 9
    assert order(1, 0) == order(1, 0)


def test_a_step_is_the_same_however_training_came_there() -> None:
    straight = [step_samples(10, 3, 7, step) for step in range(12)]
    assert step_samples(10, 3, 7, 11) == straight[11]


def test_the_order_is_the_shuffle_of_numpys_generator() -> None:
    expected = np.random.default_rng(seed_of(5, "order", 1)).permutation(6)[2:4]
    assert step_samples(6, 2, 5, 4).indices == tuple(expected.tolist())


def test_seeds_fit_jittors_generator_and_differ_from_place_to_place() -> None:
    # sha256("1/order/0"), first 8 bytes, by coreutils' sha256sum
    seeds = [seed_of(1, "step", step, position) for step in range(50) for position in range(4)]
    assert len(set(seeds)) == len(seeds)
    assert all(2 <= seed <= 2**31 - 2 for seed in seeds)
    assert seed_of(1, "order", 0) == 2 + DIGEST % (2**31 - 3)


DIGEST = 0x0C04E4F443A069DD
