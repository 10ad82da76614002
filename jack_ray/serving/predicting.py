"""One request for an answer, from its body to its reply."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request

from jack_ray.serving import faults, form, inputs, upload
from jack_ray.serving.faults import RequestError
from jack_ray.serving.question import Question, Reply
from jack_ray.serving.state import State

DROPPED = "dropped"
LINGER_S, LINGER_BYTES = 2.0, 16 << 20
"""How much of a refused upload is still taken, so that the client reads why instead of a broken connection."""


async def predict(state: State, request: Request, timeline: bool) -> dict[str, Any]:
    """The answer's JSON. Raises RequestError, ClientDisconnect."""
    began = time.monotonic()
    outcome = DROPPED
    state.in_flight += 1
    try:
        answer = await _answer(state, request, timeline)
        outcome = "200"
        return answer
    except RequestError as error:
        outcome = str(error.status)
        if error.status not in (408, 422):
            await linger(request)
        raise
    finally:
        state.in_flight -= 1
        state.metrics.request(outcome, time.monotonic() - began)


async def _answer(state: State, request: Request, timeline: bool) -> dict[str, Any]:
    refuse_early(state, request.headers)
    folder = Path(tempfile.mkdtemp(prefix="upload-", dir=state.folder))
    try:
        question = await _receive(state, request, folder, timeline)
        reply = await _ask(state, request, question)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    state.metrics.reply(reply.version, reply.batch)
    if reply.answer is None:
        raise faults.unreadable(reply.error)
    return dict(reply.answer) | {"model": state.name, "version": reply.version}


def refuse_early(state: State, headers: Mapping[str, str]) -> None:
    """What can be told without the body. Raises RequestError."""
    if state.is_ending:
        raise faults.ending()
    if state.asks is None or not state.version:
        raise faults.starting()
    if state.in_flight > state.limits.max_waiting:
        raise faults.overloaded(state.limits.max_waiting)
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > state.limits.max_bytes + form.MAX_FORM_BYTES:
        raise faults.too_large(state.limits.max_bytes)


async def _receive(state: State, request: Request, folder: Path, timeline: bool) -> Question:
    content_type = request.headers.get("content-type", "")
    pieces = upload.in_time(_counted(state, request.stream()), state.limits.pace)
    if content_type.partition(";")[0].strip().lower() == "application/json":
        body = await upload.receive_json(pieces)
        return await asyncio.to_thread(
            inputs.of_path, body, state.inputs, state.accepts, state.limits.max_bytes, timeline
        )
    received = await upload.receive_form(pieces, content_type, folder, state.accepts, state.limits.max_bytes)
    return inputs.of_upload(received, folder, timeline)


async def _counted(state: State, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        state.metrics.received(len(piece))
        yield piece


async def linger(request: Request) -> None:
    """Throw away a little more of a body that is refused; a client that waits to be told to send it never sends it."""
    if "expect" in request.headers:
        return
    with suppress(ClientDisconnect, TimeoutError, RuntimeError):
        await asyncio.wait_for(_thrown_away(request), LINGER_S)


async def _thrown_away(request: Request) -> None:
    size = 0
    while size < LINGER_BYTES:
        message = await request.receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _ask(state: State, request: Request, question: Question) -> Reply:
    """Ask a replica, as long as the client is there."""
    assert state.asks is not None
    asking = asyncio.create_task(state.asks.answer(question))
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({asking, leaving}, timeout=state.limits.answer_s, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        if leaving.done():
            raise ClientDisconnect
        raise RequestError(503, f"no answer within {state.limits.answer_s:g} s", "a shorter file", "Try again.", 30)
    finally:
        for task in (asking, leaving):
            task.cancel()


async def _left(request: Request) -> None:
    """Until the client has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
