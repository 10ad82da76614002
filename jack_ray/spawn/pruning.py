"""Keeps Jittor's compiled operators within a bound.

First go texts that Jittor never reads again, then caches of other compilers, Pythons and processors, then operators,
those first that were not used for the longest time. What is removed is compiled anew when it is needed.
"""

import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jack_ray.contract.paths import KNOWN_GRAPHS
from jack_ray.spawn.compiled import nobody_compiles

_CACHES = ".cache/jittor/jt*/*/*/*/*/*"
"""One folder for each version of Jittor, compiler, Python, system, processor and installation."""
_LEFT_SHARE = 0.8
"""Of the bound, once it was crossed, so that it is not crossed again at once."""
UNUSED_S = 7 * 86400.0
"""A cache that nobody has used for so long belongs to a compiler or Python that is gone."""


def prune(jittor_home: Path, most_bytes: int) -> int:
    """Remove what is over the bound; the bytes freed. Raises OSError when operators are being compiled.

    Running trials keep the operators that they have loaded.
    """
    size = _size(jittor_home)
    if size <= most_bytes:
        return 0
    wanted = size - int(_LEFT_SHARE * most_bytes)
    freed = 0
    with nobody_compiles(jittor_home):
        for path in _in_order(jittor_home):
            if freed >= wanted:
                break
            freed += _remove(path)
        for records in list(jittor_home.glob(f"{_CACHES}/**/{KNOWN_GRAPHS}")):
            shutil.rmtree(records, ignore_errors=True)
    return freed


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # it may go while we look
            status = path.lstat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def _in_order(jittor_home: Path) -> Iterator[Path]:
    """What may go, the least missed first."""
    caches = sorted(jittor_home.glob(_CACHES), key=_used)
    for cache in caches:
        # a key says that the object is whole, so that its text is of no use any more
        yield from (text for text in cache.glob("**/jit/*.s") if text.with_name(_stem(text) + ".so.key").exists())
    now = time.time()
    yield from (cache for cache in caches[:-1] if now - _used(cache) > UNUSED_S)
    yield from sorted(jittor_home.glob(f"{_CACHES}/**/jit/*_op.so"), key=_operator_used)


def _stem(text: Path) -> str:
    return text.name.removesuffix(".s").removesuffix(".post")


def _used(cache: Path) -> float:
    return max((path.stat().st_mtime for path in cache.glob("**/jit/*.cc")), default=cache.stat().st_mtime)


def _operator_used(operator: Path) -> float:
    """Every process that uses an operator writes its source anew."""
    source = operator.with_suffix(".cc")
    return (source if source.exists() else operator).stat().st_mtime


def _remove(path: Path) -> int:
    if path.is_dir():
        freed = _size(path)
        shutil.rmtree(path, ignore_errors=True)
        return freed
    # the key first: an operator without one is compiled anew
    names = [f"{path.name}.key", path.name, f"{path.stem}.cc", f"{path.stem}.s", f"{path.stem}.post.s"]
    freed = 0
    for found in [path.with_name(name) for name in names] if path.suffix == ".so" else [path]:
        with suppress(FileNotFoundError):
            freed += found.lstat().st_size
            found.unlink()
    return freed
