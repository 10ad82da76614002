"""One replica's work, without Ray: questions in batches, each model's process, and turning from version to version.

A new version's process is started beside the old one, which answers until the new one can. Batches are computed one
after the other, so that the old process is ended when all of its questions are answered.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.order import MAX_S
from jack_ray.serving.question import Question, Reply, Wanted
from jack_ray.serving.watch import Computer, TooMuchError, Watched

TRIES = 2
"""How often a file is computed alone after its process has died; the first time something else may have ended it."""

PAUSE_S = 10.0
"""Before a version that could not be loaded is tried again; twice as long after each try."""
LONGEST_PAUSE_S = 600.0


@dataclass(frozen=True)
class Limits:
    """What a question may cost."""

    batch: int
    answer_s: float
    memory_bytes: int
    max_s: float = MAX_S
    """The longest file, in seconds."""

    @property
    def longest_s(self) -> float:
        """Of a question's turn: a batch that takes too long together, then each of it alone, and the starts between."""
        return (self.batch + 2) * self.answer_s


@dataclass(frozen=True)
class _Asked:
    question: Question
    path: Path
    """Of the main file, on this machine."""
    reply: "asyncio.Future[Reply]"


@dataclass(frozen=True)
class _Model:
    version: str
    watched: Watched


class Answering:
    """Answers questions with the version that it was last turned to; used in one event loop."""

    def __init__(self, start: Callable[[Wanted], Computer], limits: Limits) -> None:
        """start: makes what computes a version; called in a thread, may raise JackRayError."""
        self.wanted = ""
        self.trouble = ""
        self._start = start
        self._limits = limits
        self._model: _Model | None = None
        self._waiting: deque[_Asked] = deque()
        self._woken = asyncio.Event()
        self._turning = asyncio.Lock()
        self._computing = asyncio.Lock()
        self._pause_s = PAUSE_S
        self._again_at = 0.0
        self._batches: asyncio.Task[None] | None = None

    @property
    def version(self) -> str:
        """Of the model that answers; empty before the first one is loaded."""
        return self._model.version if self._model is not None else ""

    @property
    def finds_segments(self) -> bool:
        """Whether answers have segments."""
        return self._model is not None and self._model.watched.computer.finds_segments

    @property
    def computing_pid(self) -> int:
        """The process behind the wall; 0: none."""
        return (self._model.watched.computer.pid or 0) if self._model is not None else 0

    def should_turn_to(self, version: str) -> bool:
        """Whether it is another version than the one wanted last, or that one is to be tried again by now."""
        return version != self.wanted or (bool(self.trouble) and time.monotonic() >= self._again_at)

    async def turn_to(self, wanted: Wanted) -> None:
        """Load a version; from then on it answers. `trouble` tells why one cannot be loaded."""
        async with self._turning:
            if not self.should_turn_to(wanted.version):
                return
            if wanted.version != self.wanted:
                self.wanted, self.trouble, self._pause_s = wanted.version, "", PAUSE_S
            if wanted.version == self.version:
                return
            try:
                computer = await asyncio.to_thread(self._loaded, wanted)
            except (JackRayError, OSError) as error:
                self.could_not(wanted, str(error))
                return
            old, self._model = self._model, _Model(wanted.version, self._watched(computer))
            self.trouble = ""
        if self._batches is None:
            self._batches = asyncio.create_task(self._answer_batches())
        if old is not None:
            await self._retire(old)

    def could_not(self, wanted: Wanted, trouble: str) -> None:
        """Tell why a version cannot be loaded; it is to be tried again after a pause that grows."""
        self._pause_s = PAUSE_S if wanted.version != self.wanted else self._pause_s
        self.wanted, self.trouble = wanted.version, trouble
        self._again_at = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _loaded(self, wanted: Wanted) -> Computer:
        computer = self._start(wanted)
        try:
            computer.ask([])
        except BaseException:
            computer.close()
            raise
        return computer

    def _watched(self, computer: Computer) -> Watched:
        return Watched(computer, self._limits.answer_s, self._limits.memory_bytes)

    async def _retire(self, old: _Model) -> None:
        """End a process when its last batch is answered."""
        async with self._computing:
            await asyncio.to_thread(old.watched.computer.close)

    async def ask(self, question: Question, path: Path) -> Reply:
        """What becomes of a question. path: its main file on this machine. Raises what is no file's fault."""
        asked = _Asked(question, path, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._woken.set()
        return await asked.reply

    def close(self) -> None:
        """End the process."""
        if self._batches is not None:
            self._batches.cancel()
        if self._model is not None:
            self._model.watched.computer.close()

    async def _answer_batches(self) -> None:
        while True:
            batch = self._next()
            if not batch:
                self._woken.clear()
                await self._woken.wait()
                continue
            async with self._computing:
                model = self._model
                assert model is not None
                try:
                    await _answer(model, batch)
                except Exception as error:  # no file's fault: a full disk, no process; the next batch may do better
                    _raise_at(batch, error)

    def _next(self) -> list[_Asked]:
        """The next questions that can be answered together; those whose client has gone are left out."""
        batch: list[_Asked] = []
        while self._waiting and len(batch) < self._limits.batch:
            first = self._waiting[0]
            if batch and first.question.timeline != batch[0].question.timeline:
                break
            self._waiting.popleft()
            if not first.reply.done():
                batch.append(first)
        return batch


Found = tuple[Mapping[str, Any] | None, str]
"""An answer, or why there is none."""


async def _answer(model: _Model, batch: Sequence[_Asked]) -> None:
    """Reply to all at once; to each as it is computed alone when they ended the process together.

    So one file spoils no other. Raises whatever is no file's fault.
    """
    began = time.monotonic()

    def reply(asked: _Asked, found: Found) -> None:
        if not asked.reply.done():
            asked.reply.set_result(Reply(model.version, len(batch), time.monotonic() - began, *found))

    together = await asyncio.to_thread(_together, model.watched, batch)
    if together is not None:
        for asked, found in zip(batch, together, strict=True):
            reply(asked, found)
        return
    for asked in batch:
        if not asked.reply.done():
            reply(asked, await asyncio.to_thread(_alone, model.watched, asked))


def _raise_at(batch: Sequence[_Asked], error: Exception) -> None:
    for asked in batch:
        if not asked.reply.done():
            asked.reply.set_exception(error)


def _together(watched: Watched, batch: Sequence[_Asked]) -> list[Found] | None:
    """None: each must be computed alone, since the process has ended and any of them may be why."""
    try:
        rows = watched.ask([str(one.path) for one in batch], batch[0].question.timeline)
    except TooMuchError as error:
        return [_too_much(batch[0], error)] if len(batch) == 1 else None
    except JackRayError:
        return None
    return [_of_row(row, one) for row, one in zip(rows, batch, strict=True)]


def _alone(watched: Watched, one: _Asked) -> Found:
    for _ in range(TRIES):
        try:
            return _of_row(watched.ask([str(one.path)], one.question.timeline)[0], one)
        except TooMuchError as error:
            return _too_much(one, error)
        except JackRayError:
            continue
    shown = one.question.shown
    return None, f"{shown}: the process that computes ended over it; expected a file that can be decoded"


def _too_much(one: _Asked, error: TooMuchError) -> Found:
    return None, f"{one.question.shown}: {error}; expected a shorter or smaller file"


def _of_row(row: Mapping[str, Any], one: _Asked) -> Found:
    """The row of an answer under the client's name; paths of this machine are not told."""
    if "error" in row:
        folder = str(one.path)[: -len(one.question.main)]
        text = str(row["error"]).replace(str(one.path), one.question.shown).replace(folder, "")
        return None, text
    answer = {name: value for name, value in row.items() if name not in ("input", "name")}
    return {"input": one.question.shown} | answer, ""
