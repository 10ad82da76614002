"""One replica: batches, files that break the process, versions that take over."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.serving import answering
from jack_ray.serving.answering import Answering, Limits
from jack_ray.serving.question import Question, Reply, Wanted
from jack_ray.serving.watch import NotStartedError

LIMITS = Limits(batch=4, answer_s=5.0, memory_bytes=1 << 40)


class Fake:
    """Computes at once, unless a file's name says otherwise."""

    finds_segments = True
    pid: int | None = os.getpid()

    def __init__(self, version: str, log: list[str]) -> None:
        self.version = version
        self.log = log
        self.gate = threading.Event()
        self.gate.set()
        self.is_interrupted = threading.Event()
        self.deaths = 0
        self.is_closed = False

    def ask(self, inputs: Sequence[str], timeline: bool = False) -> list[dict[str, Any]]:
        assert not self.is_closed
        self.gate.wait(10)
        names = [Path(one).name for one in inputs]
        self.log.append(f"{self.version}: {' '.join(names)}{' timeline' if timeline else ''}")
        if "slow" in names and self.is_interrupted.wait(10):
            self.is_interrupted.clear()
            raise JackRayError("ended")
        if self.pid is None:
            raise JackRayError("no compiler")
        if "full" in names:
            raise OSError("No space left on device")
        if "deadly" in names or ("once" in names and not self.deaths):
            self.deaths += 1
            raise JackRayError("ended")
        return [
            {"input": one, "error": f"{one}: bad; expected good"} if one.endswith("bad")
            else {"input": one, "name": Path(one).stem, "label": self.version}
            for one in inputs
        ]  # fmt: skip

    def interrupt(self) -> None:
        self.is_interrupted.set()

    def close(self) -> None:
        self.is_closed = True
        self.log.append(f"{self.version} closed")


class Scene:
    """An Answering with fake computers."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.log: list[str] = []
        self.fakes: dict[str, Fake] = {}
        self.broken: set[str] = set()
        self.answering = Answering(self.start, limits)

    def start(self, wanted: Wanted) -> Fake:
        if wanted.version in self.broken:
            raise JackRayError(f"version {wanted.version} is broken")
        self.fakes[wanted.version] = Fake(wanted.version, self.log)
        return self.fakes[wanted.version]

    async def turn(self, version: str) -> None:
        await self.answering.turn_to(Wanted(version, "", ()))

    def asked(self, name: str, timeline: bool = False) -> "asyncio.Task[Reply]":
        question = Question("/private", name, (name,), f"shown {name}", timeline)
        return asyncio.create_task(self.answering.ask(question, Path("/private") / name))


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 20))


def test_questions_that_wait_are_computed_together_and_answered_under_their_names() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        scene.fakes["1"].gate.clear()
        first = scene.asked("a")
        await asyncio.sleep(0.05)
        others = [scene.asked(name) for name in "bcdefg"]
        await asyncio.sleep(0.05)
        scene.fakes["1"].gate.set()
        replies = [await one for one in (first, *others)]
        assert scene.log[1:] == ["1: a", "1: b c d e", "1: f g"]
        assert [reply.batch for reply in replies] == [1, 4, 4, 4, 4, 2, 2]
        assert replies[1].answer == {"input": "shown b", "label": "1"}
        assert {reply.version for reply in replies} == {"1"}

    run(story)


def test_questions_with_and_without_a_timeline_are_not_mixed() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        scene.fakes["1"].gate.clear()
        all_ = [scene.asked("a"), *(scene.asked(name, name in "cd") for name in "bcde")]
        await asyncio.sleep(0.05)
        scene.fakes["1"].gate.set()
        await asyncio.gather(*all_)
        assert scene.log[1:] in (["1: a b", "1: c d timeline", "1: e"], ["1: a", "1: b", "1: c d timeline", "1: e"])

    run(story)


def test_a_file_that_cannot_be_read_is_told_without_a_path_of_this_machine() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        reply = await scene.asked("bad")
        assert (reply.answer, reply.error) == (None, "shown bad: bad; expected good")

    run(story)


def test_a_file_that_ends_the_process_spoils_no_other() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        replies = await asyncio.gather(*(scene.asked(name) for name in ("a", "deadly", "b")))
        assert [reply.answer is not None for reply in replies] == [True, False, True]
        assert "the process that computes ended over it" in replies[1].error
        assert scene.log.count("1: deadly") == 2

    run(story)


def test_a_process_that_somebody_else_killed_costs_no_answer() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        assert (await scene.asked("once")).answer is not None

    run(story)


def test_what_is_no_files_fault_is_raised_and_the_next_batch_is_answered() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        with pytest.raises(OSError, match="No space left"):
            await scene.asked("full")
        assert (await scene.asked("a")).answer is not None

    run(story)


def test_a_process_that_cannot_be_started_is_no_files_fault() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        scene.fakes["1"].pid = None
        replies = await asyncio.gather(scene.asked("a"), scene.asked("b"), return_exceptions=True)
        assert [str(reply) for reply in replies if isinstance(reply, NotStartedError)] == ["no compiler"] * 2

    run(story)


def test_a_file_that_takes_too_long_is_given_up_and_the_others_are_answered() -> None:
    async def story() -> None:
        scene = Scene(Limits(4, 0.3, 1 << 40))
        await scene.turn("1")
        began = time.monotonic()
        replies = await asyncio.gather(scene.asked("slow"), scene.asked("a"))
        assert "takes longer than 0.3 s to compute" in replies[0].error
        assert replies[1].answer is not None
        assert time.monotonic() - began < 3

    run(story)


def test_a_lone_file_that_takes_too_long_is_computed_once_and_told_before_the_door_gives_up() -> None:
    async def story() -> None:
        limits = Limits(1, 0.3, 1 << 40)
        scene = Scene(limits)
        await scene.turn("1")
        reply = await asyncio.wait_for(scene.asked("slow"), limits.longest_s)
        assert "takes longer than 0.3 s to compute" in reply.error
        assert scene.log.count("1: slow") == 1

    run(story)


def test_a_reply_does_not_wait_for_the_other_files_of_its_batch_that_are_computed_alone() -> None:
    async def story() -> None:
        scene = Scene(Limits(4, 0.5, 1 << 40))
        await scene.turn("1")
        first, second, last = (scene.asked(name) for name in ("a", "deadly", "slow"))
        assert (await first).answer is not None
        assert (await second).answer is None
        assert not last.done()
        assert "takes longer than 0.5 s" in (await last).error

    run(story)


def test_a_question_whose_client_has_gone_is_not_computed() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        scene.fakes["1"].gate.clear()
        first = scene.asked("a")
        await asyncio.sleep(0.05)
        gone, stays = scene.asked("b"), scene.asked("c")
        await asyncio.sleep(0.05)
        gone.cancel()
        scene.fakes["1"].gate.set()
        await asyncio.gather(first, stays)
        assert scene.log[1:] == ["1: a", "1: c"]

    run(story)


def test_a_new_version_is_loaded_beside_the_old_one_which_answers_what_it_was_asked_and_is_closed() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.turn("1")
        scene.fakes["1"].gate.clear()
        old = scene.asked("a")
        await asyncio.sleep(0.05)
        turning = asyncio.create_task(scene.turn("2"))
        await asyncio.sleep(0.1)
        assert scene.answering.version == "2"
        new = scene.asked("b")
        await asyncio.sleep(0.05)
        assert "1 closed" not in scene.log
        scene.fakes["1"].gate.set()
        assert ((await old).version, (await new).version) == ("1", "2")
        await turning
        assert [line for line in scene.log if "closed" in line] == ["1 closed"]

    run(story)


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_answering_and_the_next_is_tried() -> None:
    async def story() -> None:
        scene = Scene()
        scene.broken = {"2"}
        await scene.turn("1")
        await scene.turn("2")
        assert scene.answering.trouble == "version 2 is broken"
        assert (await scene.asked("a")).version == "1"
        await scene.turn("3")
        assert (scene.answering.trouble, (await scene.asked("a")).version) == ("", "3")

    run(story)


def test_a_version_that_could_not_be_loaded_is_tried_again_after_a_pause_that_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "PAUSE_S", 0.1)

    async def story() -> None:
        scene = Scene()
        scene.broken = {"2"}
        await scene.turn("1")
        await scene.turn("2")
        assert not scene.answering.should_turn_to("2")
        await asyncio.sleep(0.11)
        await scene.turn("2")
        assert scene.answering.trouble == "version 2 is broken"
        scene.broken = set()
        await asyncio.sleep(0.11)
        await scene.turn("2")
        assert scene.answering.version == "1"
        await asyncio.sleep(0.11)
        await scene.turn("2")
        assert (scene.answering.trouble, scene.answering.version) == ("", "2")
        assert not scene.answering.should_turn_to("2")

    run(story)


def test_turning_back_to_the_version_that_answers_costs_nothing() -> None:
    async def story() -> None:
        scene = Scene()
        scene.broken = {"2"}
        await scene.turn("1")
        await scene.turn("2")
        await scene.turn("1")
        assert (scene.answering.trouble, scene.answering.wanted, scene.answering.version) == ("", "1", "1")
        assert list(scene.fakes) == ["1"]

    run(story)


@pytest.mark.parametrize("size", [1, 3])
def test_a_batch_is_never_larger_than_the_limit(size: int) -> None:
    async def story() -> None:
        scene = Scene(Limits(size, 5.0, 1 << 40))
        await scene.turn("1")
        replies = await asyncio.gather(*(scene.asked(f"f{number}") for number in range(10)))
        assert max(reply.batch for reply in replies) <= size

    run(story)
