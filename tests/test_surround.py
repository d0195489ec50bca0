"""The witness round an application: uvicorn and the application do with it what they do without."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import os
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.websockets import WebSocket
from uvicorn.server import ServerState

from lab.actors import voice
from lab.actors.server import Settings, Witness
from lab.witness.applications import Application
from lab.witness.clock import Clock
from lab.witness.connections import WatchedScope
from lab.witness.flavour import PROTOCOLS, protocol
from lab.witness.threads import Threads
from lab.witness.walk import Walk

HANDSHAKE = (
    b"GET /ws?a=1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SANS_IO = sorted(PROTOCOLS.keys() - {"websockets"})
"""Those that need no more than the transport below."""


class Transport(asyncio.Transport):
    """A socket that may be closing, though nobody has been told yet."""

    def __init__(self, *, closing: bool) -> None:
        super().__init__({"peername": ("127.0.0.1", 40000), "sockname": ("127.0.0.1", 80)})
        self.closing, self.written = closing, b""

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True


class Site:
    """One connection to an application on one of uvicorn's protocols, with the witness round it or without."""

    def __init__(self, app: Any, flavour: str, *, witnessed: bool, closing: bool = False) -> None:
        application = Application(app, sys.modules[__name__])
        self.witness = Witness.of(application, Threads(), Clock(), Settings())
        chosen: Any = protocol(flavour)
        kind: Any = self.witness.wires.tap(chosen) if witnessed else chosen
        config = uvicorn.Config(app, ws=kind, interface=application.interface, ws_ping_interval=None, log_config=None)
        if witnessed:
            self.witness.surround(config)
        else:
            config.load()
        self.transport, self.state = Transport(closing=closing), ServerState()
        self.protocol = kind(config=config, server_state=self.state, app_state={})
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(HANDSHAKE)

    async def end(self) -> None:
        """Wait until its handler has returned."""
        await asyncio.gather(*self.state.tasks)


@contextmanager
def kept_from(logger: str) -> Iterator[list[str]]:
    """What is logged there meanwhile."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage().strip())  # type: ignore[method-assign]  # no file
    logging.getLogger(logger).addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger(logger).removeHandler(handler)


@pytest.fixture(autouse=True)
def said_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_fd", os.open(os.devnull, os.O_WRONLY))


@pytest.mark.parametrize("closing", [False, True], ids=["open", "closing"])
@pytest.mark.parametrize("flavour", SANS_IO)
def test_who_accepts_and_refuses_meets_what_is_met_without_the_witness(flavour: str, closing: bool) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> str:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await websocket.close(1008)
        met.append("refused")
        return "nothing that uvicorn wants"

    async def play(witnessed: bool) -> tuple[bytes, list[str]]:
        with kept_from("uvicorn.error") as lines:
            site = Site(refuse, flavour, witnessed=witnessed, closing=closing)
            await site.end()
        return site.transport.written.partition(b"\r\n")[0], lines

    met: list[str] = []
    without, witnessed = asyncio.run(play(False)), asyncio.run(play(True))
    assert witnessed == without
    assert any("should return None" in line or "without" in line for line in without[1])
    assert met == ["refused", "refused"]


def test_the_server_shares_the_scope_and_lets_go_of_it_when_it_has_accepted() -> None:
    scopes: list[Any] = []

    async def accept(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(sites[0].protocol.scope)
        assert scope is scopes[0]
        await WebSocket(scope, receive, send).accept()
        scopes.append(sites[0].protocol.scope)

    async def play() -> None:
        sites.append(Site(accept, "auto", witnessed=True))
        await sites[0].end()

    sites: list[Site] = []
    asyncio.run(play())
    assert isinstance(scopes[0], WatchedScope)
    assert scopes[0]["path"] == "/ws"
    assert not isinstance(scopes[1], WatchedScope)


def test_a_websocket_over_a_copy_of_its_scope_is_found_all_the_same() -> None:
    kept: list[WebSocket] = []

    async def keep(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket({**scope, "tenant": "shop"}, receive, send)  # as middleware does
        await websocket.accept()
        kept.append(websocket)

    async def play() -> set[str]:
        site = Site(keep, "auto", witnessed=True)
        await site.end()
        left = [one for ref in site.witness.connections.left if (one := ref()) is not None]
        walk = Walk([(one, one.name) for one in left])
        walk.search([{"kept": kept}])
        return set(walk.found)

    assert asyncio.run(play()) == {"127.0.0.1:40000"}


class Callable3:
    """An application of three arguments that is no coroutine function, as a decorator may make one."""

    def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        return accepts(scope, receive, send)


class Callable1:
    """An application of ASGI 2."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        await accepts(self.scope, receive, send)


async def accepts(scope: Any, receive: Any, send: Any) -> None:
    await WebSocket(scope, receive, send).accept()


@pytest.mark.parametrize("app", [accepts, Callable3(), functools.partial(accepts), Callable1], ids=repr)
def test_an_application_of_either_interface_is_served(app: Any) -> None:
    async def play() -> bytes:
        site = Site(app, "auto", witnessed=True)
        await site.end()
        return site.transport.written

    assert asyncio.run(play()).startswith(b"HTTP/1.1 101")


def test_a_note_keeps_nothing_alive_that_is_in_the_context_of_whoever_notes_it() -> None:
    class Thing:
        pass

    current: contextvars.ContextVar[Thing] = contextvars.ContextVar("current")

    async def note(notes: voice.Notes) -> weakref.ref[Thing]:
        thing = Thing()
        current.set(thing)
        notes.note(voice.Kind("told", ()), "alice", 0.0)
        return weakref.ref(thing)

    async def play() -> bool:
        gone = await asyncio.create_task(note(voice.Notes()))
        await asyncio.sleep(0)  # a task's context goes when the loop has turned once more
        return gone() is None

    assert asyncio.run(play())
    voice.say_notes()
