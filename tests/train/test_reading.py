import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.roles import Batch, Sample
from jack_ray.train.reading import Reader, Samples


class Slow:
    """Samples that are their own number; some cannot be read."""

    separate = True
    labels = ("one",)

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

    def draw(self, index: int, seed: int) -> Sample:
        return {**self[index], "seed": seed}

    def fit_together(self, samples: Sequence[Sample]) -> bool:
        return False

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        return list(samples)


def ahead(data: Slow, wanted: Sequence[int], depth: int, threads: int = 1) -> Iterator[Any]:
    samples = Samples(data, "stop")
    with Reader(threads, depth) as reader:
        yield from reader.ahead(samples.evaluated(index) for index in wanted)


def indices(samples: Any) -> list[int]:
    return [sample["index"] for sample in samples]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("depth", [0, 1, 2, 8, 100])
def test_samples_come_in_the_order_that_was_asked_for(depth: int, threads: int) -> None:
    wanted = [5, 3, 9, 3, 0, 7]
    assert indices(ahead(Slow(), wanted, depth, threads)) == wanted
    assert indices(ahead(Slow(), [], depth, threads)) == []


@pytest.mark.parametrize("depth", [0, 3])
def test_an_error_surfaces_when_its_turn_comes(depth: int) -> None:
    reading = ahead(Slow(frozenset({2})), [0, 1, 2, 3], depth)
    assert [next(reading)["index"], next(reading)["index"]] == [0, 1]
    with pytest.raises(DataError, match=r"2\.npy: cut short"):
        next(reading)


def test_no_more_than_the_depth_is_read_ahead() -> None:
    data = Slow()
    reading = ahead(data, range(50), 4)
    next(reading)
    time.sleep(0.1)
    assert len(data.read) <= 4
    reading.close()  # type: ignore[attr-defined]


def test_several_threads_read_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)
    with Reader(3, 6) as reader:
        list(reader.ahead(partial(lambda: {"place": together.wait()}) for _ in range(6)))
        assert reader.begin(lambda number: number if together.wait() < 3 else None, [3, 1, 2])() == [3, 1, 2]


def test_work_in_a_step_does_not_wait_for_samples_of_later_steps() -> None:
    later = threading.Event()
    with Reader(1, 2) as reader:
        reading = reader.ahead([dict, later.wait])  # type: ignore[list-item]
        next(reading)
        assert reader.begin(str, [1, 2])() == ["1", "2"]
        later.set()


def test_work_begins_before_it_is_waited_for() -> None:
    begun = threading.Event()
    with Reader(1, 2) as reader:
        wait = reader.begin(lambda event: event.set(), [begun])
        assert begun.wait(10)
        assert wait() == [None]


def test_work_that_fails_raises_what_it_raised() -> None:
    with Reader(2, 2) as reader, pytest.raises(ValueError, match="invalid literal"):
        reader.begin(int, ["1", "x"])()


def test_depth_zero_reads_in_the_same_thread() -> None:
    data = Slow()
    list(ahead(data, range(3), 0))
    assert data.threads == {threading.current_thread().name}


def test_a_reader_that_is_left_early_leaves_no_thread() -> None:
    reading = ahead(Slow(wait_s=0.02), range(50), 8)
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reading")]


def test_training_takes_the_next_sample_for_one_that_cannot_be_read() -> None:
    samples = Samples(Slow(frozenset({98, 99, 0})), "skip")
    assert samples.drawn(98, 5)() == {"index": 1, "seed": 5}
    assert samples.drawn(7, 6)() == {"index": 7, "seed": 6}
    assert [fault.split(":")[0] for fault in samples.take_faults()] == ["98.npy", "99.npy", "0.npy"]
    assert samples.take_faults() == []


def test_evaluation_leaves_out_what_cannot_be_read() -> None:
    samples = Samples(Slow(frozenset({2})), "skip")
    assert [samples.evaluated(index)() for index in (1, 2, 3)] == [{"index": 1}, None, {"index": 3}]
    assert len(samples.take_faults()) == 1


def test_a_damaged_sample_ends_training_unless_it_may_be_skipped() -> None:
    samples = Samples(Slow(frozenset({2})), "stop")
    for read in (samples.drawn(2, 1), samples.evaluated(2)):
        with pytest.raises(DataError, match=r"2\.npy: cut short"):
            read()


def test_a_data_set_of_which_nothing_can_be_read_is_an_error_also_when_skipping() -> None:
    with pytest.raises(DataError, match=r"none of its 100 samples can be read, the first: 4\.npy: cut short"):
        Samples(Slow(frozenset(range(100))), "skip").drawn(4, 1)()
