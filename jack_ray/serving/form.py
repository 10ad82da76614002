"""A multipart form -> files in a private folder, piece by piece. A client's name of a file is only ever shown."""

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from jack_ray.serving.faults import RequestError, too_large
from jack_ray.serving.kinds import HEAD_BYTES, Accepts, in_words, kind_of

MAX_FORM_BYTES = 64 << 10
"""Besides the files themselves: boundaries, headers of parts, numbers."""
MAX_TEXT_BYTES = 64
LOOK_EVERY_BYTES = 64 << 20
FREE_BYTES = 1 << 30
"""Left on the disk for whoever else writes there."""
SHOWN = 120


@dataclass
class Received:
    """The fields of a form."""

    files: dict[str, Path] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """What the client calls the files."""
    texts: dict[str, str] = field(default_factory=dict)


class Form:
    """Takes a multipart form apart while it arrives. Its methods raise RequestError."""

    def __init__(self, boundary: bytes, folder: Path, accepts: Accepts, max_bytes: int) -> None:
        self.received = Received()
        self._folder = folder
        self._accepts = accepts
        self._max_bytes = max_bytes
        self._part: _Part | None = None
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._beside = 0
        self._is_whole = False
        self._is_closed = False
        self._lock = threading.Lock()
        calls: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begin, "on_header_field": self._add_header, "on_header_value": self._add_value,
            "on_header_end": self._end_header, "on_headers_finished": self._open, "on_part_data": self._write,
            "on_part_end": self._end, "on_end": self._finish,
        }  # fmt: skip
        try:
            self._parser = MultipartParser(boundary, calls)  # type: ignore[arg-type]
        except FormParserError as error:
            raise not_a_form(str(error)) from error

    def take(self, piece: bytes) -> None:
        """The next bytes of the body."""
        with self._lock:
            if self._is_closed:
                return
            if self._is_whole:
                self._count(len(piece))
                return
            try:
                self._parser.write(piece)
            except FormParserError as error:
                raise not_a_form(str(error)) from error

    def close(self) -> None:
        """Close what is open, after a piece that a thread is still writing."""
        with self._lock:
            self._is_closed = True
            if self._part is not None:
                self._part.close()

    def whole(self) -> Received:
        """All fields. Raises RequestError when some are missing."""
        if not self._is_whole:
            raise not_a_form("it ends before its last boundary")
        seen = [*self.received.files, *self.received.texts]
        missing = [name for name in self._accepts.fields if name not in seen]
        if missing:
            found = f"no field {' and '.join(missing)}"
            raise RequestError(400, found, f"a form with the fields {', '.join(self._accepts.fields)}")
        return self.received

    def _begin(self) -> None:
        self._disposition = b""

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._count(end - start)

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._count(end - start)

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _open(self) -> None:
        name, called = named(self._disposition.decode("utf-8", "replace"))
        wanted = self._accepts.fields
        if not isinstance(name, str) or name not in wanted:
            raise RequestError(400, f"a field {shown(str(name or ''))!r}", f"the fields {', '.join(wanted)}")
        if name in self.received.files or name in self.received.texts:
            raise RequestError(400, f"the field {name} for the second time", "every field once")
        if not wanted[name]:
            self._part = _Text(name, self.received)
            return
        self.received.names[name] = shown(called or name)
        self._part = _File(name, self._folder, self._accepts, self._max_bytes, self.received)

    def _write(self, data: bytes, start: int, end: int) -> None:
        assert self._part is not None
        self._part.write(data[start:end])

    def _end(self) -> None:
        assert self._part is not None
        self._part.end()
        self._part = None

    def _finish(self) -> None:
        self._is_whole = True

    def _count(self, more: int) -> None:
        self._beside += more
        if self._beside > MAX_FORM_BYTES:
            raise too_large(MAX_FORM_BYTES, "the form, its files left out,")


class _Part(Protocol):
    """One field of a form while it arrives."""

    def write(self, data: bytes) -> None:
        """Its next bytes."""
        ...

    def end(self) -> None:
        """It has come whole."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class _Text:
    """A number as text."""

    def __init__(self, name: str, received: Received) -> None:
        self.name = name
        self.received = received
        self._text = b""

    def write(self, data: bytes) -> None:
        self._text += data
        if len(self._text) > MAX_TEXT_BYTES:
            raise RequestError(400, f"the field {self.name} has more than {MAX_TEXT_BYTES} bytes", "a number")

    def end(self) -> None:
        self.received.texts[self.name] = self._text.decode("utf-8", "replace")

    def close(self) -> None:
        """Nothing is open."""


class _File:
    """Is told by its first bytes; from then on it goes to the disk."""

    def __init__(self, name: str, folder: Path, accepts: Accepts, max_bytes: int, received: Received) -> None:
        self.name = name
        self.received = received
        self._folder = folder
        self._accepts = accepts
        self._limit = max_bytes
        self._head = b""
        self._size = 0
        self._descriptor = -1

    def write(self, data: bytes) -> None:
        before = self._size
        self._size += len(data)
        if self._size > self._limit:
            raise too_large(self._limit, self.name)
        if before // LOOK_EVERY_BYTES != self._size // LOOK_EVERY_BYTES:
            refuse_full_disk(self._folder)
        if self._descriptor >= 0:
            _write_all(self._descriptor, data)
            return
        self._head += data
        if len(self._head) >= HEAD_BYTES:
            self._open()

    def end(self) -> None:
        if self._descriptor < 0:
            self._open()
        self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> None:
        suffix = checked_kind(self._head, self._accepts.fields[self.name], self.name)
        self._limit = self._accepts.most_bytes(suffix, self._limit)
        path = self._folder / f"{self.name}{suffix}"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self.received.files[self.name] = path
        _write_all(self._descriptor, self._head)
        self._head = b""


def checked_kind(head: bytes, wanted: Sequence[str], name: str) -> str:
    """The suffix for a file's first bytes. Raises RequestError for what the model does not take."""
    if not head:
        raise RequestError(422, f"{name} is empty", f"a file: {', '.join(wanted)}")
    suffix = kind_of(head)
    if suffix not in wanted:
        remedy = "What a file is follows from its content, not from its name."
        raise RequestError(415, f"{name} is {in_words(suffix)}", ", ".join(wanted), remedy)
    return suffix


def named(disposition: str) -> tuple[object, str | None]:
    """The field of a part, and what the client calls its file. Raises RequestError."""
    message = Message()
    message["Content-Disposition"] = disposition
    try:
        return message.get_param("name", header="content-disposition"), message.get_filename()
    except (ValueError, TypeError) as error:  # of encodings that cannot be used, and of pieces in disorder
        raise not_a_form("the head of a part says its name in no known way") from error


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise _no_space() from error


def refuse_full_disk(folder: Path) -> None:
    """Raise RequestError when little space is left."""
    if shutil.disk_usage(folder).free < FREE_BYTES:
        raise _no_space()


def _no_space() -> RequestError:
    return RequestError(503, "the server's disk is nearly full", "space for the upload", "Try again later.", 60)


def not_a_form(why: str) -> RequestError:
    """A body that is not what its headers say."""
    remedy = "With curl: -F file=@clip.mp4, and no header Content-Type of your own."
    return RequestError(400, f"not a form that can be read ({why})", "multipart/form-data", remedy)


def shown(name: str) -> str:
    """A client's name of a file as it may be shown: its last part, printable, not too long."""
    last = PurePosixPath(name.replace("\\", "/").replace("\0", "")).name
    text = "".join(letter if letter.isprintable() else "?" for letter in last)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
