import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.rank

SLEEP_S = 0.5


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[SimpleNamespace]:
    """A thread that does something again and again; `.times` says how often, `.stop()` ends it."""
    done, seen = threading.Event(), SimpleNamespace(times=0)

    def again() -> None:
        while not done.is_set():
            work()
            seen.times += 1

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def slow_array() -> Any:
    """An array whose computing takes SLEEP_S."""
    import jittor as jt

    source = f"usleep({SLEEP_S * 1e6:.0f}); for (int i = 0; i < out0_shape0; i++) @out(i) = i + 1;"
    return jt.code([3], "float32", [], cpu_header="#include <unistd.h>", cpu_src=source)


@pytest.fixture
def computing(monkeypatch: pytest.MonkeyPatch) -> Any:
    from jack_ray.methods.shared import computing

    monkeypatch.setattr(computing._Python, "is_called", False)
    return computing


def test_other_threads_go_on_while_an_array_is_computed(computing: Any) -> None:
    slow_array().sync()  # compiled
    array = slow_array()
    with beside(lambda: time.sleep(0.01)) as seen:
        before = seen.times
        computing.compute([array])
        during = seen.times - before
    assert during >= 10
    assert array.numpy().tolist() == [1.0, 2.0, 3.0]


def test_jittors_own_sync_stops_other_threads(computing: Any) -> None:
    # docs/faq.md says so, and decision 31 rests on it
    import jittor as jt

    slow_array().sync()  # compiled
    array = slow_array()
    with beside(lambda: time.sleep(0.01)) as seen:
        time.sleep(0.05)
        before = seen.times
        jt.sync([array])
        during = seen.times - before
    assert during <= 2


def test_the_lock_is_kept_when_an_operator_is_written_in_python(computing: Any) -> None:
    import jittor as jt

    def double(_: Any, data: Any) -> None:
        data["outputs"][0][...] = data["inputs"][0] * 2

    array = jt.numpy_code([3], "float32", [jt.array(np.array([1, 2, 3], np.float32))], double, [])
    computing.compute([array])
    assert array.numpy().tolist() == [2.0, 4.0, 6.0]
    assert computing._Python.is_called


def test_the_lock_is_kept_when_jittors_compiler_asks_python(computing: Any) -> None:
    import jittor as jt

    jt.code([1], "float32", [], cpu_src="@out(0) = 1;")
    assert not computing._Python.is_called
    jt.code([1], "float32", [], cpu_src="@python.jittor.auto_parallel(1)\nvoid kernel() {}")
    assert computing._Python.is_called


def test_named_arrays_are_computed_together(computing: Any) -> None:
    import jittor as jt

    one = jt.array(np.array([1, 2], np.float32))
    found = computing.computed({"twice": one * 2, "sum": one.sum()})
    assert {name: value.tolist() for name, value in found.items()} == {"twice": [2.0, 4.0], "sum": [3.0]}
    assert computing.computed({}) == {}


def test_what_is_no_array_of_jittors_is_refused(computing: Any) -> None:
    with pytest.raises(TypeError, match=r"not \['ndarray'\]"):
        computing.compute([np.zeros(3)])


def test_an_error_is_the_one_that_jittor_tells(computing: Any) -> None:
    import jittor as jt

    source = 'throw std::runtime_error("no such luck");'
    with pytest.raises(RuntimeError, match="no such luck"):
        computing.compute([jt.code([1], "float32", [], cpu_src=source)])
    with pytest.raises(RuntimeError, match="no such luck"):
        jt.sync([jt.code([1], "float32", [], cpu_src=source)])


def test_gradients_are_the_same_while_another_thread_collects_and_computes(computing: Any) -> None:
    import jittor as jt

    class Squared(jt.Function):  # type: ignore[misc]
        def execute(self, x: Any) -> Any:
            self.x, self.itself = x, self  # nobody but a collection frees it
            return x * x

        def grad(self, gradient: Any) -> Any:
            return 2 * self.x * gradient

    def gradient(compute: Callable[[list[Any]], None]) -> list[float]:
        x = jt.array(np.linspace(0.5, 1.0, 1000, dtype=np.float32))
        y = x
        for _ in range(5):
            y = Squared()(y)
        (found,) = jt.grad(y.sum(), [x])
        compute([found])
        return list(found.numpy().tolist())

    def litter() -> None:
        for _ in range(100):
            circle: list[Any] = [np.zeros(10)]
            circle.append(circle)
        gc.collect()

    expected = gradient(jt.sync)
    with beside(litter) as seen:
        for _ in range(50):
            assert gradient(computing.compute) == expected
    assert seen.times > 0
    assert not computing._Python.is_called
    assert gc.isenabled()


def test_a_function_that_is_dropped_while_arrays_are_computed_frees_what_it_held(computing: Any) -> None:
    import jittor as jt

    ended: list[str] = []

    class Held:
        def __del__(self) -> None:
            ended.append(threading.current_thread().name)

    class Scaled(jt.Function):  # type: ignore[misc]
        def execute(self, x: Any) -> Any:
            self.held = Held()
            return x * 3

        def grad(self, gradient: Any) -> Any:
            return gradient * 3

    x = jt.array(np.array([1, 2], np.float32))
    y = Scaled()(x)
    (found,) = jt.grad(y.sum(), [x])
    for var in (y, found):
        var.stop_grad()
    assert ended == []
    with beside(lambda: time.sleep(0.001)):
        computing.compute([y, found])
    assert found.numpy().tolist() == [3.0, 3.0]
    assert ended == [threading.current_thread().name]


def test_the_collector_stays_as_it_was(computing: Any) -> None:
    import jittor as jt

    gc.disable()
    try:
        computing.compute([jt.array([1.0])])
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(RuntimeError):
        computing.compute([jt.code([1], "float32", [], cpu_src='throw std::runtime_error("x");')])
    assert gc.isenabled()
