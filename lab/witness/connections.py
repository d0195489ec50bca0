"""Connections as the application sees them: accepted, told of the end, returned; and what of them still lives."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextvars import ContextVar
from typing import Any

from lab.actors.voice import Kind, observe
from lab.witness.wire import Note, Peer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

TOLD, RETURNED = Kind("told", ("code", "reason")), Kind("returned", ("error",))

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
        handler: the task that runs the handler, until it has returned.
    """

    __slots__ = ("__weakref__", "_given", "_passage", "_scope", "handler", "name", "returned")

    def __init__(self, name: str, scope: WeakScope, passage: Passage) -> None:
        self.name = name
        self.returned = False
        self.handler = asyncio.current_task()
        self._scope, self._passage = weakref.ref(scope), weakref.ref(passage)

    def given(self) -> Iterator[object]:
        """What of it is still alive: its scope; and its passage, which `receive` and `send` are methods of."""
        for ref in (self._scope, self._passage):
            if (thing := ref()) is not None:
                yield thing

    def end(self, forget: Callable[[Connection], None]) -> None:
        """The handler has returned; to be forgotten once nothing is alive: as a rule, at once."""
        self.returned, self.handler = True, None
        if self._scope() is None and self._passage() is None:
            forget(self)
        else:
            self._wait(forget)

    def _wait(self, forget: Callable[[Connection], None]) -> None:
        """Forget when the last of what is alive has gone."""

        def gone(ref: weakref.ref[Any]) -> None:
            self._given.remove(ref)
            if not self._given:
                forget(self)

        alive = tuple(self.given())  # so that none of it goes before we ask to be told
        self._given = [weakref.ref(thing, gone) for thing in alive]
        if not self._given:
            forget(self)


class Passage:
    """What passes between a server and an application for one connection, unchanged, and noted."""

    __slots__ = ("__weakref__", "_delivered", "_name", "_note", "_receive", "_send")

    def __init__(self, name: str, receive: Receive, send: Send, note: Note) -> None:
        self._name, self._note = name, note
        self._receive, self._send = receive, send
        self._delivered = False

    async def receive(self) -> Message:
        """To the application."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._note(TOLD, self._name, message.get("code"), message.get("reason") or "")
        elif not self._delivered and message["type"] == "websocket.receive":
            self._delivered = True
            observe("delivered", self._name)
        return message

    async def send(self, message: Message) -> None:
        """From the application."""
        await self._send(message)
        if message["type"] == "websocket.accept":
            observe("accepted", self._name)


class Connections:
    """Wraps an ASGI application and watches its WebSockets. It keeps nothing alive, and nothing of what is gone.

    Args:
        app: the application.
        note: told how connections end.
        named: told the name of the connection at a peer's address.

    Attributes:
        known: every connection whose handler runs, or of which something is still alive.
    """

    def __init__(self, app: ASGIApp, note: Note, named: Callable[[Peer, str], None]) -> None:
        self.app = app
        self.known: set[Connection] = set()
        self._note, self._named = note, named

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
            self._named(tuple(scope["client"]), name)
        passage, scope = Passage(name, receive, send, self._note), WeakScope(scope)
        watched = Connection(name, scope, passage)
        self.known.add(watched)
        receive, send = passage.receive, passage.send
        token = connection.set(name)
        error = ""
        try:
            await self.app(scope, receive, send)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            connection.reset(token)
            del scope, receive, send, passage  # whatever of it lives now is held by somebody else
            watched.end(self.known.discard)
            self._note(RETURNED, name, error)
