"""Archives of compiled operators: what one machine packs is what another one finds."""

import io
import os
import tarfile
from pathlib import Path

import pyarrow
import pytest

from jack_ray.spawn.compiled import Sharing, complete, identity, pack, unpack
from jack_ray.spawn.folder_shelf import FolderShelf

CACHE = ".cache/jittor/jt1.3.11/g++12/py3.11/Linux-x/Intel/ab12"


class Memory:
    """A shelf in this process."""

    def __init__(self) -> None:
        self.archives: dict[str, bytes] = {}

    def names(self, identity: str) -> list[str]:
        return list(self.archives)

    def get(self, identity: str, name: str) -> bytes:
        return self.archives[name]

    def put(self, identity: str, name: str, content: bytes) -> None:
        self.archives[name] = content


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a core and one compiled operator."""
    made = tmp_path / "home"
    for name in ("obj_files/a.o", "gen/jit.h", "core.so", "core.so.key"):
        write(made, f"default/{name}")
    compile_operator(made, "add")
    write(made, "jittor.lock")
    return made


def write(home: Path, name: str, text: str = "x") -> Path:
    path = home / CACHE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{name} {text}")
    return path


def compile_operator(home: Path, name: str) -> None:
    """All that Jittor leaves of an operator."""
    for suffix in ("cc", "s", "post.s", "so", "so.key"):
        write(home, f"default/jit/{name}_op.{suffix}").chmod(0o755)


def operators(home: Path) -> set[str]:
    return {path.name for path in (home / CACHE / "default/jit").glob("*")}


def share(home: Path, shelf: Memory) -> Sharing:
    return Sharing(shelf, home, "g++")


def test_another_machine_gets_what_is_needed_and_nothing_else(home: Path, tmp_path: Path) -> None:
    shelf, other = Memory(), tmp_path / "other"
    assert not share(other, shelf).take()
    assert share(home, shelf).give() == 6
    assert share(other, shelf).take()
    assert operators(other) == {"add_op.so", "add_op.so.key"}
    assert (other / CACHE / "default/core.so").read_text() == "default/core.so x"
    assert not (other / CACHE / "jittor.lock").exists()
    assert os.access(other / CACHE / "default/jit/add_op.so", os.X_OK)


def test_later_operators_travel_alone_and_once(home: Path, tmp_path: Path) -> None:
    shelf, other = Memory(), tmp_path / "other"
    share(home, shelf).give()
    share(other, shelf).take()
    compile_operator(home, "multiply")
    assert share(home, shelf).give() == 2
    assert share(home, shelf).give() == 0
    assert len(shelf.archives) == 3
    assert share(other, shelf).take()
    assert operators(other) == {f"{name}_op.{end}" for name in ("add", "multiply") for end in ("so", "so.key")}
    assert share(other, shelf).give() == 0


def test_an_empty_shelf_gets_everything_though_another_one_has_it(home: Path, tmp_path: Path) -> None:
    first, second = Memory(), Memory()
    assert share(home, first).give() == 6
    assert share(home, second).give() == 6
    assert share(tmp_path / "other", second).take()
    assert operators(tmp_path / "other") == {"add_op.so", "add_op.so.key"}


def test_an_operator_that_is_still_being_compiled_is_left_out(home: Path) -> None:
    write(home, "default/jit/half_op.so")
    assert not any("half" in name for names in complete(home) for name in names)


def test_what_is_there_already_is_not_overwritten(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    mine = write(other, "default/jit/add_op.so", "mine")
    unpack(pack(home, complete(home)[1]), other)
    assert mine.read_text() == "default/jit/add_op.so mine"
    assert (other / CACHE / "default/jit/add_op.so.key").exists()


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", ".cache/jittor/../../escaped", "elsewhere/a.so"])
def test_an_archive_with_a_file_from_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="does not belong there"):
        unpack(archive_of(name, tarfile.REGTYPE), tmp_path / "home")


def test_an_archive_with_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="does not belong there"):
        unpack(archive_of(".cache/jittor/a", tarfile.SYMTYPE), tmp_path / "home")


def archive_of(name: str, kind: bytes) -> bytes:
    packed = pyarrow.BufferOutputStream()
    with (
        pyarrow.CompressedOutputStream(packed, "zstd") as compressed,
        tarfile.open(fileobj=compressed, mode="w|") as archive,
    ):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc"
        archive.addfile(member, io.BytesIO(b""))
    return bytes(packed.getvalue())


@pytest.mark.parametrize("damage", [lambda content: content[:-20], lambda content: b"no archive"])
def test_a_damaged_archive_is_told_as_such(home: Path, tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OSError, match="an archive of compiled operators is damaged"):
        unpack(damage(pack(home, complete(home)[0])), tmp_path / "other")


def test_machines_with_other_paths_or_compilers_share_nothing(tmp_path: Path) -> None:
    same = identity(tmp_path, "g++")
    assert identity(tmp_path, "g++") == same
    assert identity(tmp_path / "elsewhere", "g++") != same
    assert identity(tmp_path, "/bin/echo") != same


def test_a_folder_serves_as_a_shelf(home: Path, tmp_path: Path) -> None:
    for uri in (str(tmp_path / "storage"), f"file://{tmp_path}/storage"):
        shelf = FolderShelf(uri)
        assert shelf.names("kind") == [] or uri.startswith("file")
        shelf.put("kind", "core-1.tar.zst", b"content")
        assert shelf.names("kind") == ["core-1.tar.zst"]
        assert shelf.get("kind", "core-1.tar.zst") == b"content"
    assert (tmp_path / "storage" / "compiled" / "kind" / "core-1.tar.zst").read_bytes() == b"content"
