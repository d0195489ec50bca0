"""Connections as the application sees them: accepted, told of the end, returned; and what of them still lives."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from types import MethodType
from typing import Any, NamedTuple

from lab.actors.voice import Kind, observe
from lab.clock import now
from lab.witness.asgi import ASGIApp, Message, Receive, Scope, Send
from lab.witness.died import Death, death_of
from lab.witness.wire import Carrier, Note

TOLD, RETURNED = Kind("told", ("code", "reason")), Kind("returned", ("error",))
DIED = Kind("returned", ("error", "said", "at_line"))
"""How a handler returns that an exception has ended, unless that is the ordinary end of a connection."""

NAME_HEADER = "x-hangup-connection"

LOGGED = ("client", "path", "query_string")
"""What uvicorn's log says of a scope, when it accepts or refuses."""

DONE: Scope = {}
"""What uvicorn does with a scope once it has said that it accepts: nothing."""

connection: ContextVar[str] = ContextVar("hangup_connection", default="")
"""The connection in whose handler, or in whose tasks, we are. Tasks inherit it."""


def name_of(scope: Scope) -> str:
    """The name the client gave in its handshake, else its address."""
    for key, value in scope.get("headers", ()):
        if key.decode("latin-1").lower() == NAME_HEADER:
            return str(value.decode("latin-1"))
    host, port = scope.get("client") or ("unknown", 0)
    return f"{host}:{port}"


class WatchedScope(dict[str, Any]):
    """An ASGI scope that knows what connection it is of: while it lives, something of the connection does.

    Attributes:
        watched: the connection; it does not know its scope.
    """

    __slots__ = ("watched",)
    watched: Connection

    def __reduce__(self) -> tuple[type, tuple[Scope]]:
        """A copy, deep or not, is the data alone: whoever keeps that holds nothing of the connection."""
        return dict, (dict(self),)


class Ways(NamedTuple):
    """What the connections of a server share: a method for each of them would be 64 bytes.

    Attributes:
        receive, send: the server's functions; they take whose methods they are.
        note: told how connections end.
    """

    receive: Callable[..., Awaitable[Message]]
    send: Callable[..., Awaitable[None]]
    note: Note


class Connection:
    """What passes between a server and an application for one connection, unchanged, and noted.

    An application that holds its WebSocket, its scope, `receive` or `send` holds this. Nobody else does when the
    handler has returned: while it lives then, it is an orphan. One object, for there may be ten thousand of them.

    Attributes:
        name: the name it is known by.
        handler: the task that runs the handler; None once it has returned.
        server: what the server's `receive` and `send` are methods of; None if they are no methods.
    """

    __slots__ = ("__weakref__", "_delivered", "_ways", "handler", "name", "server")

    def __init__(self, name: str, server: object, ways: Ways) -> None:
        self.name, self.server, self._ways = name, server, ways
        self._delivered = False
        self.handler: asyncio.Task[Any] | None = None

    async def receive(self) -> Message:
        """To the application."""
        message: Message = await self._ways.receive(self.server)
        if not self._delivered or message["type"] != "websocket.receive":
            self._remarkable(message)
        return message

    def _remarkable(self, message: Message) -> None:
        if message["type"] == "websocket.disconnect":
            self._ways.note(TOLD, self.name, now(), message.get("code"), message.get("reason") or "")
        elif message["type"] == "websocket.receive":
            self._delivered = True
            observe("delivered", self.name)

    async def send(self, message: Message) -> None:
        """From the application."""
        await self._ways.send(self.server, message)
        if message["type"] == "websocket.accept":
            observe("accepted", self.name)
            if isinstance(self.server, Carrier) and getattr(self.server, "handshake_complete", True):
                self.server.scope = DONE  # not if it could not say so, for the socket was closing: it may refuse yet


def living(refs: Iterable[weakref.ref[Connection]]) -> Iterator[Connection]:
    """Those of them that are alive."""
    for ref in refs:
        if (one := ref()) is not None:
            yield one


class Connections:
    """Wraps an ASGI application and watches its WebSockets. It keeps nothing alive, and nothing of what is gone.

    Args:
        app: the application.
        note: told how connections end.
    """

    def __init__(self, app: ASGIApp, note: Note) -> None:
        self.app = app
        self._note = note
        self._running: dict[Connection, None] = {}
        self._returned: set[weakref.ref[Connection]] = set()
        self._forget = self._returned.discard
        self._ways: Ways | None = None

    @property
    def running(self) -> list[Connection]:
        """Those whose handler has not returned."""
        return list(self._running)

    @property
    def left(self) -> list[weakref.ref[Connection]]:
        """Those whose handler has returned and of which something is still alive; weakly: we must not add to that."""
        return list(self._returned)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[Any]:
        """Pass everything on unchanged, and say what passes."""
        if scope["type"] != "websocket":
            return self.app(scope, receive, send)
        return self._watch(Connection(name_of(scope), *self._apart(receive, send)), scope)

    def _apart(self, receive: Receive, send: Send) -> tuple[object, Ways]:
        """Whose methods they are, and the functions."""
        if not (isinstance(receive, MethodType) and isinstance(send, MethodType) and receive.__self__ is send.__self__):
            return None, Ways(lambda _: receive(), lambda _, message: send(message), self._note)
        if self._ways is None or self._ways[:2] != (receive.__func__, send.__func__):
            self._ways = Ways(receive.__func__, send.__func__, self._note)
        return receive.__self__, self._ways

    async def _watch(self, one: Connection, scope: Scope) -> Any:
        scope, error = self._begin(one, scope), ""
        death: Death | None = None
        try:
            return await self.app(scope, one.receive, one.send)
        except BaseException as raised:
            error, death = type(raised).__name__, death_of(raised)
            raise
        finally:
            self._end(one, scope, error, death)
            del scope, one  # whatever of it lives now is held by somebody else

    def _begin(self, one: Connection, scope: Scope) -> WatchedScope:
        """What the application is given as its scope; its server has no need of another: half a KiB."""
        watched = WatchedScope(scope)
        watched.watched = one
        if isinstance(server := one.server, Carrier):
            server.hangup_wire.name = one.name
            if server.scope is scope:
                server.scope = watched
        connection.set(one.name)  # for as long as the task lives: a server makes one for each handler
        one.handler = asyncio.current_task()
        self._running[one] = None
        return watched

    def _end(self, one: Connection, scope: Scope, error: str, death: Death | None) -> None:
        """The handler has returned. The server lets go of what it shared with it, if it did not when it accepted."""
        one.handler = None
        server: Any = one.server
        if getattr(server, "scope", None) is scope:
            server.scope = {key: scope[key] for key in LOGGED if key in scope}
        del self._running[one]
        self._returned.add(weakref.ref(one, self._forget))
        if death is None:
            self._note(RETURNED, one.name, now(), error)
        else:
            self._note(DIED, one.name, now(), error, *death)
