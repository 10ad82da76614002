"""The body of a request, as it comes; what is left of one that is refused is taken a little further."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

LINGER_S, LINGER_BYTES = 2.0, 16 << 20
"""How much of a refused upload is still taken, so that the client reads why instead of a broken connection."""


class Body:
    """Reads a request once."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._is_whole = False
        self._is_waited_for = any(name == b"expect" for name, _ in scope["headers"])

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it. Raises ClientDisconnect."""
        while not self._is_whole:
            piece = await self._next()
            if piece:
                yield piece

    async def throw_away(self) -> None:
        """Take a little more; nothing where the client waits to be told to send it."""
        if not self._is_waited_for:
            with suppress(ClientDisconnect, TimeoutError):
                await asyncio.wait_for(self._thrown_away(), LINGER_S)

    async def left(self) -> None:
        """Until the client has gone, after the whole body."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _thrown_away(self) -> None:
        size = 0
        while not self._is_whole and size < LINGER_BYTES:
            size += len(await self._next())

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._is_waited_for = False
        self._is_whole = not message.get("more_body", False)
        return bytes(message.get("body", b""))
