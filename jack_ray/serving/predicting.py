"""One request for an answer, from its body to its reply."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request

from jack_ray.serving import faults, form, inputs, upload
from jack_ray.serving.body import Body
from jack_ray.serving.faults import RequestError
from jack_ray.serving.question import Question, Reply
from jack_ray.serving.state import State

DROPPED = "dropped"


async def predict(state: State, request: Request, timeline: bool) -> dict[str, Any]:
    """The answer's JSON. Raises RequestError, ClientDisconnect."""
    body = Body(request.scope, request.receive)
    began = time.monotonic()
    outcome = DROPPED
    state.in_flight += 1
    try:
        answer = await _answer(state, request.headers, body, timeline)
        outcome = "200"
        return answer
    except (RequestError, OSError) as error:
        refusal = error if isinstance(error, RequestError) else faults.not_kept(error)
        outcome = str(refusal.status)
    finally:
        state.in_flight -= 1
        state.metrics.request(outcome, time.monotonic() - began)
    if refusal.status != 408:
        await body.throw_away()  # when its place is free for the next one
    raise refusal


async def _answer(state: State, headers: Mapping[str, str], body: Body, timeline: bool) -> dict[str, Any]:
    refuse_early(state, headers)
    folder = Path(tempfile.mkdtemp(prefix="upload-", dir=state.folder))
    try:
        question = await _receive(state, headers.get("content-type", ""), body, folder, timeline)
        reply = await _ask(state, body, question)
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


async def _receive(state: State, content_type: str, body: Body, folder: Path, timeline: bool) -> Question:
    pieces = upload.in_time(_counted(state, body.pieces()), state.limits.pace)
    if content_type.partition(";")[0].strip().lower() == "application/json":
        named = await upload.receive_json(pieces)
        return await asyncio.to_thread(
            inputs.of_path, named, state.inputs, state.accepts, state.limits.max_bytes, timeline
        )
    received = await upload.receive_form(pieces, content_type, folder, state.accepts, state.limits.max_bytes)
    return inputs.of_upload(received, folder, timeline)


async def _counted(state: State, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        state.metrics.received(len(piece))
        yield piece


async def _ask(state: State, body: Body, question: Question) -> Reply:
    """Ask a replica, as long as the client is there."""
    assert state.asks is not None
    asking = asyncio.create_task(state.asks.answer(question))
    leaving = asyncio.create_task(body.left())
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
