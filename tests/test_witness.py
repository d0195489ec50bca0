"""The witness keeps nothing of what is gone: not a byte for each connection that it has seen end."""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import tracemalloc
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect

from lab.actors import voice
from lab.witness.connections import Connections
from lab.witness.wire import Wires

MANY = 2_000


class Transport:
    """As much of a transport as a protocol asks for."""

    def __init__(self, number: int) -> None:
        self.number = number

    def get_extra_info(self, _key: str) -> tuple[str, int]:
        return "127.0.0.1", self.number


class Protocol(asyncio.Protocol):
    """As much of a server as an application sees."""

    connections: ClassVar[set[object]] = set()

    def __init__(self) -> None:
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def connection_made(self, _transport: asyncio.BaseTransport) -> None:
        self.connections.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.connections.remove(self)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def send(self, _message: Any) -> None:
        """To nobody."""


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """An application that lets go; but of every tenth connection only when it is told to."""
    websocket = WebSocket(scope, receive, send)
    await websocket.accept()
    try:
        await websocket.receive_text()
    except WebSocketDisconnect:
        if scope["client"][1] % 10 == 0:
            kept.append(websocket)


kept: list[WebSocket] = []


class Crowd:
    """Many connections that begin and end together."""

    def __init__(self) -> None:
        note = voice.Notes().note
        self.wires = Wires(note)
        self.connections = Connections(echo, note)
        self.protocol: Any = self.wires.tap(Protocol)

    async def come_and_go(self) -> None:
        """All of them, once; and what was kept of some is let go."""
        protocols = [self.protocol() for _ in range(MANY)]
        tasks = []
        for number, protocol in enumerate(protocols):
            protocol.connection_made(Transport(number))
            protocol.queue.put_nowait({"type": "websocket.connect"})
            scope = {"type": "websocket", "client": ("127.0.0.1", number), "headers": []}
            tasks.append(asyncio.ensure_future(self.connections(scope, protocol.queue.get, protocol.send)))
        del protocol, scope
        await asyncio.sleep(0)
        assert len(self.connections.running) == len(self.wires.open) == MANY
        while protocols:
            protocols.pop().connection_lost(None)
        await asyncio.gather(*tasks)
        del tasks
        await asyncio.sleep(0)  # a task lets go of its coroutine when the loop has turned once more
        assert len(self.connections.left) == len(kept) == MANY // 10
        assert not self.connections.running
        kept.clear()
        voice.say_notes()


@pytest.fixture
def said_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_fd", os.open(os.devnull, os.O_WRONLY))


@pytest.mark.usefixtures("said_to_nobody")
def test_of_connections_that_have_ended_the_witness_keeps_not_a_byte() -> None:
    async def measure() -> float:
        crowd = Crowd()
        sizes = []
        for _ in range(7):
            await crowd.come_and_go()
            assert not crowd.connections.left
            assert not crowd.wires.open
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        # What is kept of each is kept in every round; a hash table that grows or shrinks does so in one.
        return statistics.median(after - before for before, after in pairwise(sizes[1:])) / MANY

    tracemalloc.start()
    try:
        grown = asyncio.run(measure())
    finally:
        tracemalloc.stop()
    assert grown < 1, "bytes a connection, from the second round on"
