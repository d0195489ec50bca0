"""Connections as the application sees them: accepted, told of the end, handler returned."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

from lab.actors.voice import observe

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

NAME_HEADER = "x-hangup-connection"

connection: ContextVar[str] = ContextVar("hangup_connection", default="")
"""The connection in whose handler, or in whose tasks, we are. Tasks inherit it."""


def name_of(scope: Scope) -> str:
    """The name the client gave in its handshake, else its address."""
    for key, value in scope.get("headers", ()):
        if key.decode("latin-1").lower() == NAME_HEADER:
            return str(value.decode("latin-1"))
    host, port = scope.get("client") or ("unknown", 0)
    return f"{host}:{port}"


class Connections:
    """Wraps an ASGI application and watches its WebSockets.

    Attributes:
        running: the connections whose handler has not returned yet, and when it began (lab clock, seconds).
        names: the name of the connection at each peer address.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.running: dict[str, float] = {}
        self.names: dict[tuple[str, int], str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on unchanged, and say what passes."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        name = name_of(scope)
        if scope.get("client"):
            self.names[tuple(scope["client"])] = name
        await self._serve(name, scope, receive, send)

    async def _serve(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        async def told() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                observe("told", name, code=message.get("code"), reason=message.get("reason") or "")
            return message

        async def sent(message: Message) -> None:
            await send(message)
            if message["type"] == "websocket.accept":
                observe("accepted", name)

        token = connection.set(name)
        self.running[name] = time.monotonic()
        error = ""
        try:
            await self.app(scope, told, sent)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            self.running.pop(name, None)
            connection.reset(token)
            observe("returned", name, error=error)
