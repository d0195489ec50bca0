"""Connections as the application sees them: accepted, told of the end, returned; and what of them still lives."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
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


class WeakScope(dict[str, Any]):
    """An ASGI scope that can be referred to weakly, which a plain dict cannot."""

    __slots__ = ("__weakref__",)


class Connection:
    """One connection: what the application was given for it, held weakly, and how far it has come.

    Attributes:
        name: the name it is known by.
        returned: whether its handler has.
        handler: the task that runs the handler.
    """

    __slots__ = ("__weakref__", "_forget", "_given", "delivered", "handler", "name", "returned")

    def __init__(self, name: str, forget: Callable[[Connection], None]) -> None:
        self.name = name
        self.returned = False
        self.delivered = False
        self._forget = forget
        self._given: tuple[weakref.ref[Any], ...] = ()
        task = asyncio.current_task()
        self.handler = None if task is None else weakref.ref(task)

    def give(self, *things: object) -> None:
        """Remember, weakly, what the application gets: scope, receive and send."""
        self._given = tuple(weakref.ref(thing, self._gone) for thing in things)

    def given(self) -> Iterator[object]:
        """What of it is still alive."""
        for ref in self._given:
            if (thing := ref()) is not None:
                yield thing

    def end(self) -> None:
        """The handler has returned."""
        self.returned = True
        self._gone()

    def _gone(self, _ref: object = None) -> None:
        if self.returned and all(ref() is None for ref in self._given):
            self._given = ()  # these refer to us
            self._forget(self)


class Connections:
    """Wraps an ASGI application and watches its WebSockets. It keeps nothing alive, and nothing of what is gone.

    Attributes:
        known: every connection whose handler runs, or of which something is still alive.
        names: the name of the connection at each peer address whose socket is open.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.known: set[Connection] = set()
        self.names: dict[tuple[str, int], str] = {}

    @property
    def running(self) -> list[Connection]:
        """Those whose handler has not returned."""
        return [one for one in self.known if not one.returned]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on unchanged, and say what passes."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        name = name_of(scope)
        if scope.get("client"):
            self.names[tuple(scope["client"])] = name
        watched = Connection(name, self.known.discard)
        self.known.add(watched)
        await self._serve(watched, WeakScope(scope), receive, send)

    async def _serve(self, watched: Connection, scope: WeakScope, receive: Receive, send: Send) -> None:
        name = watched.name

        async def told() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                observe("told", name, code=message.get("code"), reason=message.get("reason") or "")
            elif not watched.delivered and message["type"] == "websocket.receive":
                watched.delivered = True
                observe("delivered", name)
            return message

        async def sent(message: Message) -> None:
            await send(message)
            if message["type"] == "websocket.accept":
                observe("accepted", name)

        watched.give(scope, told, sent)
        token = connection.set(name)
        error = ""
        try:
            await self.app(scope, told, sent)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            connection.reset(token)
            del scope, told, sent
            watched.end()
            observe("returned", name, error=error)
