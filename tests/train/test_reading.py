import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.roles import Batch, Sample
from jack_ray.train.reading import read_ahead


class Slow:
    """Samples that are their own number; some cannot be read."""

    def __init__(self, broken: frozenset[int] = frozenset(), wait_s: float = 0.0) -> None:
        self.broken = broken
        self.wait_s = wait_s
        self.read: list[int] = []
        self.threads: set[str] = set()

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> Sample:
        self.threads.add(threading.current_thread().name)
        time.sleep(self.wait_s)
        self.read.append(index)
        if index in self.broken:
            raise DataError([Fault(f"{index}.npy", "cut short", "a whole file")])
        return {"index": index}

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        return list(samples)


def indices(samples: Any) -> list[int]:
    return [sample["index"] for sample in samples]


@pytest.mark.parametrize("depth", [0, 1, 2, 8, 100])
def test_samples_come_in_the_order_that_was_asked_for(depth: int) -> None:
    wanted = [5, 3, 9, 3, 0, 7]
    assert indices(read_ahead(Slow(), wanted, depth)) == wanted
    assert indices(read_ahead(Slow(), [], depth)) == []


@pytest.mark.parametrize("depth", [0, 3])
def test_an_error_surfaces_when_its_turn_comes(depth: int) -> None:
    reading = read_ahead(Slow(frozenset({2})), [0, 1, 2, 3], depth)
    assert [next(reading)["index"], next(reading)["index"]] == [0, 1]
    with pytest.raises(DataError, match=r"2\.npy: cut short"):
        next(reading)


def test_no_more_than_the_depth_is_read_ahead() -> None:
    data = Slow()
    reading = read_ahead(data, range(50), 4)
    next(reading)
    time.sleep(0.1)
    assert len(data.read) <= 4
    reading.close()  # type: ignore[attr-defined]


def test_reading_goes_on_while_the_step_computes() -> None:
    data = Slow(wait_s=0.05)
    began = time.monotonic()
    for _ in read_ahead(data, range(10), 4):
        time.sleep(0.05)
    assert time.monotonic() - began < 0.85  # one after the other would take 1.0 s
    assert all(name.startswith("reading") for name in data.threads)


def test_depth_zero_reads_in_the_same_thread() -> None:
    data = Slow()
    list(read_ahead(data, range(3), 0))
    assert data.threads == {threading.current_thread().name}


def test_a_reader_that_is_left_early_leaves_no_thread() -> None:
    reading = read_ahead(Slow(wait_s=0.02), range(50), 8)
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reading")]
