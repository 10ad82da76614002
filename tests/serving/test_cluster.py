"""The way a question goes to a replica, and what the desk knows, without a Ray that runs."""

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

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
    from jack_ray.serving.question import Question

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
