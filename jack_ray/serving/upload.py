"""A request's body, taken piece by piece: memory stays small, and limits act while it arrives."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from jack_ray.serving.faults import RequestError, too_large
from jack_ray.serving.form import MAX_FORM_BYTES, Form, Received, not_a_form, refuse_full_disk, shown
from jack_ray.serving.kinds import Accepts

JOINED_BYTES = 512 << 10
"""Of an upload, handed to a thread at once."""


@dataclass(frozen=True)
class Pace:
    """How long a client may take."""

    stall_s: float
    """Without a byte."""
    total_s: float


async def in_time(pieces: AsyncIterator[bytes], pace: Pace) -> AsyncIterator[bytes]:
    """The pieces of a body. Raises RequestError when the client is too slow."""
    deadline = time.monotonic() + pace.total_s
    while True:
        rest = deadline - time.monotonic()
        try:
            async with asyncio.timeout(min(pace.stall_s, max(rest, 0.001))):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            found = f"nothing came for {pace.stall_s:g} s" if rest > pace.stall_s else f"not done in {pace.total_s:g} s"
            raise RequestError(408, f"the upload is too slow: {found}", "a faster one") from error
        yield piece


async def receive_form(
    pieces: AsyncIterator[bytes], content_type: str, folder: Path, accepts: Accepts, max_bytes: int
) -> Received:
    """Write a form's files below a private folder. Raises RequestError."""
    refuse_full_disk(folder)
    form = Form(boundary_of(content_type), folder, accepts, max_bytes)
    try:
        async for piece in _joined(pieces):
            await asyncio.to_thread(form.take, piece)  # a full cache of the disk would stop all other clients
        return form.whole()
    finally:
        form.close()


async def _joined(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Fewer and larger pieces; the first one as it is, since it tells what the file is."""
    waiting: list[bytes] = []
    size, least = 0, 0
    async for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size > least:
            yield b"".join(waiting)
            waiting, size, least = [], 0, JOINED_BYTES
    if waiting:
        yield b"".join(waiting)


def boundary_of(content_type: str) -> bytes:
    """What parts are told apart by. Raises RequestError."""
    message = Message()
    message["Content-Type"] = content_type
    try:
        boundary = message.get_param("boundary")
    except (ValueError, TypeError):  # of pieces of a value in disorder
        boundary = None
    if message.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        raise not_a_form(f"Content-Type {shown(content_type)!r}")
    return boundary.encode("utf-8", "replace")


async def receive_json(pieces: AsyncIterator[bytes]) -> Mapping[str, object]:
    """A small JSON object. Raises RequestError."""
    body = b""
    async for piece in pieces:
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise too_large(MAX_FORM_BYTES, "the JSON")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "not JSON", '{"path": "clip.mp4"}') from error
    if not isinstance(value, dict):
        raise RequestError(400, "no JSON object", '{"path": "clip.mp4"}')
    return value
