"""Arrays are computed while other Python threads go on.

Jittor computes with Python's lock held: a thread that reads samples stands still while a step is computed, whatever it
does without the lock itself, since it needs the lock again after each picture. `compute` calls Jittor's own `sync`
without it. Jittor calls Python in four cases while it computes. When it drops a `jt.Function`, it takes the lock
here; when it runs or compiles an operator that is written in Python, `compute` keeps the lock from then on.

The functions in C++ are part of an operator that says where they are, so that they are compiled, kept and carried to
other machines as all operators are.
"""

import ctypes
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

import jittor as jt
from numpy.typing import NDArray

_FUNCTIONS = r"""
#include <cstdio>
#include "var_holder.h"
#include "ops/tape_op.h"
extern "C" int PyGILState_Ensure();
extern "C" void PyGILState_Release(int);
namespace jittor {

static int sync_of(void** holders, int64 count, char* told, int64 room) {
    try {
        vector<VarHolder*> vars;
        for (int64 i = 0; i < count; i++) vars.push_back((VarHolder*)holders[i]);
        sync(vars, false, true);
        return 0;
    } catch (const std::exception& error) {
        snprintf(told, room, "%s", error.what());
        return 1;
    }
}

// The op through which the gradient of this output of a jt.Function goes, as Tapes::Tapes ties them.
static Tapes* tapes_of(VarHolder* output) {
    Op* tape = output->var->input();
    if (!tape || tape->_inputs.size() != 2) return nullptr;
    Op* found = ((Node*)tape->_inputs.back())->var()->input();
    return found && string(found->name()) == "tapes" ? (Tapes*)found : nullptr;
}

static int lock_deleter(void* output) {
    Tapes* tapes = tapes_of((VarHolder*)output);
    if (!tapes) return 1;
    auto deleter = tapes->callback.deleter;
    tapes->callback.deleter = [deleter]() {
        int lock = PyGILState_Ensure();
        deleter();
        PyGILState_Release(lock);
    };
    return 0;
}

}
"""
_ADDRESSES = "@out(0) = (int64)&sync_of; @out(1) = (int64)&lock_deleter;"
_HOLDER = object.__basicsize__
"""Bytes from a Python Var to Jittor's own (`GET_RAW_PTR` of its pyjt/py_converter.h)."""
_TOLD = ctypes.create_string_buffer(1 << 16)
"""What Jittor says of a failure; one thread computes at a time."""
_ASKS_PYTHON = "@python"
"""In the source of an operator that Jittor's compiler gives to a Python function."""


class _Python:
    """Whether computing may call Python, which then needs its lock; of this process, since graphs mix."""

    is_called = False


@dataclass(frozen=True)
class _Functions:
    sync_of: Callable[[Any, int, Any, int], int]
    """Called without Python's lock."""
    lock_deleter: Callable[[int], int]
    """Called with it."""


def compute(arrays: Sequence[jt.Var]) -> None:
    """Compute arrays, as `jt.sync` does, while other threads of this process run; those must leave Jittor alone.

    Raises RuntimeError as `jt.sync` does, and TypeError for what is no array of Jittor's.
    """
    had_collector = gc.isenabled()
    gc.disable()  # another thread's collection would free arrays under Jittor's hands
    try:
        if _Python.is_called or _collects_elsewhere():
            jt.sync(list(arrays))
            return
        if not all(isinstance(array, jt.Var) for array in arrays):
            raise TypeError(f"only Jittor's arrays can be computed, not {[type(array).__name__ for array in arrays]}")
        holders = (ctypes.c_void_p * len(arrays))(*[_holder(array) for array in arrays])
        if _functions().sync_of(holders, len(arrays), _TOLD, len(_TOLD)):
            raise RuntimeError(_TOLD.value.decode(errors="replace"))
    finally:
        if had_collector:
            gc.enable()


def computed(arrays: Mapping[str, jt.Var]) -> dict[str, NDArray[Any]]:
    """The values of named arrays, computed together and as `compute` does."""
    compute(list(arrays.values()))
    return {name: array.numpy() for name, array in arrays.items()}


def _collects_elsewhere() -> bool:
    """Whether another thread is in the middle of a collection: then ours does nothing, and is not counted."""
    before = gc.get_stats()[0]["collections"]
    gc.collect(0)
    return bool(gc.get_stats()[0]["collections"] == before)


def _holder(array: jt.Var) -> int:
    return id(array) + _HOLDER


@cache
def _functions() -> _Functions:
    with jt.flag_scope(use_cuda=0):
        (addresses,) = jt.code([[2]], ["int64"], [], cpu_header=_FUNCTIONS, cpu_src=_ADDRESSES)
        addresses.sync(False, False)  # alone: a graph that is being built stays whole
        sync_of, lock_deleter = (int(address) for address in addresses.numpy())
    of_sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64, ctypes.c_char_p, ctypes.c_int64)
    return _Functions(of_sync(sync_of), ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lock_deleter))


def _tape_together(inputs: Sequence[jt.Var], outputs: Sequence[jt.Var], gradient: Callable[..., Any]) -> None:
    """As `jt.Function` calls it; afterwards its gradient can be dropped at any time."""
    _tape(inputs, outputs, gradient)
    if not outputs or _functions().lock_deleter(_holder(outputs[0])):
        _Python.is_called = True


def _noted(make: Callable[..., Any], calls_python: Callable[..., bool]) -> Callable[..., Any]:
    @wraps(make)
    def noted(*words: Any, **about: Any) -> Any:
        _Python.is_called = _Python.is_called or calls_python(*words, **about)
        return make(*words, **about)

    return noted


def _asks_python(*words: Any, **about: Any) -> bool:
    return any(isinstance(word, str) and _ASKS_PYTHON in word for word in (*words, *about.values()))


def _always(*_: Any, **__: Any) -> bool:
    return True


_tape = jt.tape_together
jt.tape_together = _tape_together
jt.code = _noted(jt.code, _asks_python)
jt.numpy_code = _noted(jt.numpy_code, _always)
jt.core.ops.fetch = _noted(jt.core.ops.fetch, _always)
