"""Jittor's compiled operators as archives, which another machine of the same kind uses without compiling anything.

What Jittor compares before it uses an operator is the text of the compiler's command, with absolute paths, and hashes
of its sources. Machines on which all of that is the same have one `identity`, and share archives. An archive of the
core holds what `import jittor` compiles; archives of operators hold what was compiled since the last one.
"""

import fcntl
import hashlib
import platform
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Protocol

import pyarrow

from jack_ray.contract.environment import interpreter
from jack_ray.contract.files import digest, read_object, replacing, write_json
from jack_ray.contract.paths import KNOWN_GRAPHS

CORE = "core"
OPERATORS = "operators"
_CODEC = "zstd"
_LEVEL = 3
_SUFFIX = f".tar.{_CODEC}"
_ROOT = PurePosixPath(".cache/jittor")
_BESIDE = (".s", ".cc")
"""Left by the compilation of an operator and never read again."""
_LOCK_S = 60.0


class Shelf(Protocol):
    """Where archives lie that all machines reach. Errors of the place are OSErrors."""

    def names(self, identity: str) -> list[str]:
        """The archives of that kind of machine."""
        ...

    def get(self, identity: str, name: str) -> bytes:
        """One archive."""
        ...

    def put(self, identity: str, name: str, content: bytes) -> None:
        """Add one; twice is once."""
        ...


def identity(jittor_home: Path, compiler: str) -> str:
    """Digest of all that Jittor's keys depend on: versions, absolute paths, processor, compiler."""
    said = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout.partition("\n")[
        0
    ]
    return digest(
        [
            metadata.version("jittor"), interpreter(), sys.version, str(jittor_home.absolute()), compiler, said,
            platform.machine(), *platform.libc_ver(), _processor(),
        ],
        length=16,
    )  # fmt: skip


def _processor() -> list[str]:
    """Model and instructions: operators are compiled for the processor that they are compiled on."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    wanted = ("model name", "flags", "Features")
    return [next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "") for name in wanted]


def complete(jittor_home: Path) -> tuple[list[str], list[str]]:
    """(files of the core, files of operators) that are whole, relative to the home.

    A key is written when what it belongs to is.
    """
    core, operators = [], []
    for path in sorted((jittor_home / _ROOT).glob("jt*/*/*/*/*/*/*/**/*")):
        name = str(path.relative_to(jittor_home))
        if path.is_symlink() or not path.is_file() or path.parent.name == KNOWN_GRAPHS:
            continue
        if path.parent.name != "jit":
            core.append(name)
        elif path.suffix not in _BESIDE and path.with_name(path.name.removesuffix(".key") + ".key").exists():
            operators.append(name)
    return core, operators


def pack(jittor_home: Path, names: Iterable[str]) -> bytes:
    """An archive of these files."""
    packed = pyarrow.BufferOutputStream()
    with (
        pyarrow.CompressedOutputStream(packed, _CODEC) as compressed,
        tarfile.open(fileobj=compressed, mode="w|") as archive,
    ):
        for name in names:
            archive.add(jittor_home / name, name, recursive=False, filter=_nameless)
    return bytes(packed.getvalue())


def _nameless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def unpack(content: bytes, jittor_home: Path) -> list[str]:
    """Put an archive's files where they are missing; the names of all. Raises OSError when it is damaged."""
    names = []
    try:
        with (
            pyarrow.CompressedInputStream(pyarrow.BufferReader(content), _CODEC) as raw,
            tarfile.open(fileobj=raw, mode="r|") as archive,
        ):
            for member in archive:
                names.append(_take(archive, member, jittor_home))
    except (tarfile.TarError, pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of a disk; a decompressor's have no number
            raise
        raise OSError(f"an archive of compiled operators is damaged ({error})") from error
    return names


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, jittor_home: Path) -> str:
    place = PurePosixPath(member.name)
    if not member.isreg() or not place.is_relative_to(_ROOT) or ".." in place.parts:
        raise tarfile.ReadError(f"{member.name} does not belong there")
    target = jittor_home / place
    if not target.exists():
        read = archive.extractfile(member)
        assert read is not None
        with replacing(target) as temporary:
            temporary.write_bytes(read.read())
        target.chmod(member.mode & 0o777)
    return member.name


@dataclass
class Sharing:
    """This machine's home of compiled operators, and the shelf."""

    shelf: Shelf
    jittor_home: Path
    compiler: str

    def __post_init__(self) -> None:
        self.identity = identity(self.jittor_home, self.compiler)
        self._record = self.jittor_home / f"archives-{self.identity}.json"

    def take(self) -> bool:
        """Bring every archive that was not brought yet; whether the core is here now. Raises OSError."""
        with self._alone():
            known = self._known()
            names = sorted(self.shelf.names(self.identity))  # the core comes before operators
            for name in names:
                if name not in known:
                    known[name] = unpack(self.shelf.get(self.identity, name), self.jittor_home)
            write_json(self._record, known)
            return any(name.startswith(CORE) for name in names)

    def give(self) -> int:
        """Add what the shelf lacks of what is compiled here; the number of files. Raises OSError."""
        with self._alone(), nobody_compiles(self.jittor_home):
            known = self._known()
            there = self.shelf.names(self.identity)
            has = {file for name in there for file in known.get(name, [])}
            given = 0
            for kind, files in zip((CORE, OPERATORS), complete(self.jittor_home), strict=True):
                new = [file for file in files if file not in has]
                # one core is enough: `import jittor` writes some of its files anew each time
                if not new or (kind == CORE and any(name.startswith(CORE) for name in there)):
                    continue
                content = pack(self.jittor_home, new)
                name = f"{kind}-{hashlib.sha256(content).hexdigest()[:16]}{_SUFFIX}"
                self.shelf.put(self.identity, name, content)
                known[name] = new
                given += len(new)
            write_json(self._record, known)
            return given

    def _known(self) -> dict[str, list[str]]:
        """Archive -> its files, of those that came from here or were brought here, whichever shelf they lie on."""
        return {name: list(files) for name, files in read_object(self._record).items() if isinstance(files, list)}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Among the processes of this machine that share operators."""
        self.jittor_home.mkdir(parents=True, exist_ok=True)
        with (self.jittor_home / "sharing.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def nobody_compiles(jittor_home: Path) -> Iterator[None]:
    """Hold the locks that Jittor compiles under. Raises OSError after a minute: then somebody compiles much."""
    until = time.monotonic() + _LOCK_S
    opened = [path.open("r+b") for path in sorted((jittor_home / _ROOT).glob("jt*/*/*/*/*/*/jittor.lock"))]
    try:
        for lock in opened:
            _wait_for(lock.fileno(), until)
        yield
    finally:
        for lock in opened:
            lock.close()


def _wait_for(descriptor: int, until: float) -> None:
    while True:
        with suppress(BlockingIOError, PermissionError):  # what lockf raises while another process has it
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() > until:
            raise OSError("operators are being compiled; they are shared later")
        time.sleep(0.1)
