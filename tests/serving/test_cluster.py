"""The way a question goes to a replica, and what the desk knows, without a Ray that runs."""

import asyncio
import errno
import tempfile
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from jack_ray.serving.answering import Answering
from jack_ray.serving.question import Question, Wanted
from tests.serving.doors import LIMITS

pytestmark = pytest.mark.ray


class Response:
    """A question that is never answered."""

    def __init__(self) -> None:
        self.is_cancelled = False

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncio.get_running_loop().create_future().__await__()

    def cancel(self) -> None:
        self.is_cancelled = True


class Handle:
    """What Ray Serve gives to ask with."""

    def __init__(self) -> None:
        self.responses: list[Response] = []

    def remote(self, _: Any) -> Response:
        self.responses.append(Response())
        return self.responses[-1]


def test_a_question_whose_client_has_left_is_taken_back_from_the_replica() -> None:
    from jack_ray.serving.cluster import Cluster

    async def story() -> list[bool]:
        cluster = Cluster.__new__(Cluster)
        cluster._handle = handle = Handle()
        asking = asyncio.create_task(cluster.answer(Question("/private", "a", ("a",), "a", False)))
        await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        return [response.is_cancelled for response in handle.responses]

    assert asyncio.run(story()) == [True]


def test_a_desk_that_was_started_anew_turns_nobody_back_to_the_first_version() -> None:
    from jack_ray.serving.replica import Desk

    async def story() -> None:
        first, second = ({"version": version} for version in "12")
        desk = Desk((), first)
        assert await desk.report("a replica", {}) is None
        await desk.want(second)
        assert await desk.report("a replica", {}) == second
        assert await desk.versions() == [first, second]

    asyncio.run(story())


def test_an_upload_that_has_gone_is_told_without_a_traceback_and_a_full_disk_blames_no_file(tmp_path: Path) -> None:
    question = asdict(Question("/far", "a", ("a",), "clip.mp4", False))
    replica = far_away(tmp_path)
    replica._answering = Answering(replica._start, LIMITS)
    reply = asyncio.run(replica.answer(question))
    assert reply["error"] == "clip.mp4: No such file or directory; expected a file that stays until it is answered"
    full = far_away(tmp_path, OSError(errno.ENOSPC, "No space left on device"))
    full._answering = replica._answering
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(full.answer(question))


class ToldError(FileNotFoundError):
    """As Ray passes on what was raised on another machine: its number is in its cause alone."""

    cause = FileNotFoundError(errno.ENOENT, "No such file or directory")

    def __str__(self) -> str:
        return "Traceback of another machine"


class Silent:
    """A desk that gives no file."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def __getattr__(self, _: str) -> Any:
        return self

    def remote(self, *_: Any) -> Any:
        raise self.error


def far_away(folder: Path, error: OSError | None = None) -> Any:
    """A replica on another machine."""
    from jack_ray.serving.replica import Replica, Setup

    replica = Replica.__new__(Replica)
    replica._setup = Setup(Silent(error or ToldError()), "node", "", 1, LIMITS, 10.0)
    replica._is_beside = False
    replica._folder = tempfile.TemporaryDirectory(dir=folder)
    replica._answering = replica._reports = None
    return replica


def test_a_checkpoint_that_cannot_be_fetched_is_told(tmp_path: Path) -> None:
    replica = far_away(tmp_path)
    answering = Answering(replica._start, LIMITS)
    asyncio.run(replica._turn(answering, Wanted("2", "/far", ("model.safetensors",))))
    assert (answering.wanted, answering.version) == ("2", "")
    assert answering.trouble == "its checkpoint cannot be fetched: [Errno 2] No such file or directory"


def test_only_the_checkpoint_of_the_version_that_answers_is_kept(tmp_path: Path) -> None:
    replica = far_away(tmp_path)
    for name in ("version-1", "version-2"):
        (Path(replica._folder.name) / name).mkdir()
    (Path(replica._folder.name) / "version-1.log").touch()
    replica._remove_others("2")
    assert sorted(path.name for path in Path(replica._folder.name).iterdir()) == ["version-1.log", "version-2"]
