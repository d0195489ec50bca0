"""What is measured with the witness: an application as people write it, its server, and its clients."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from lab.actors import voice
from lab.actors.server import Settings, Witness
from lab.witness.applications import Application
from lab.witness.clock import Clock
from lab.witness.flavour import protocol
from lab.witness.threads import Threads

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FRAME = b"\x81\x85\x00\x00\x00\x00hello"
"""A masked text frame, mask zero."""

ROUNDS = 9

ORDINARY, LEAKING = "127.0.1.", "127.0.2."
"""Where clients come from: one address has not enough ports for several rounds. Those of the second are not let go."""


held: dict[int, WebSocket] = {}
callbacks: list[Callable[[], WebSocket]] = []
waiting: list[asyncio.Task[None]] = []
errors: list[BaseException] = []
places = itertools.count()

app = FastAPI()


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    """Answer everything. A quarter of what leaks is left in each of a dict, a closure, a task and an exception."""
    await websocket.accept()
    leaks = websocket.client is not None and websocket.client.host.startswith(LEAKING)
    place = next(places) % 4 if leaks else -1
    if place == 0:
        held[id(websocket)] = websocket
    elif place == 1:
        callbacks.append(lambda: websocket)
    elif place == 2:
        waiting.append(asyncio.create_task(close_some_day(websocket)))
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as gone:
        if place == 3:
            errors.append(gone)


async def close_some_day(websocket: WebSocket) -> None:
    """Never."""
    await asyncio.Event().wait()
    await websocket.close()


class Listening(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """As uvicorn does."""
        await super().startup(sockets)
        self.listens.set()


def serve(witnessed: bool) -> None:
    """uvicorn on any free port, which it prints; then answers orders on standard input."""
    out = os.dup(1)
    voice._fd = os.open(os.devnull, os.O_WRONLY)
    threads = Threads()
    witness = Witness.of(Application(app, sys.modules[__name__]), threads, Clock(), Settings())
    ws: Any = protocol("auto")
    config = uvicorn.Config(
        app,
        port=0,
        loop="asyncio",
        ws=witness.wires.tap(ws) if witnessed else ws,
        ws_ping_interval=None,
        log_level="warning",
        lifespan="off",
        backlog=4096,
    )
    if witnessed:
        witness.surround(config)
    server = Listening(config)

    def answer(order: str) -> object:
        if order == "open":
            return len(server.server_state.connections)
        if order == "rss":
            gc.collect()
            return psutil.Process().memory_info().rss
        return counted(witness)

    async def run() -> None:
        if witnessed:
            witness.tasks.watch(asyncio.get_running_loop())
            threads.watch()
        task = asyncio.create_task(server.serve())
        await server.listens.wait()
        gc.collect()
        gc.freeze()
        os.write(out, f"{server.servers[0].sockets[0].getsockname()[1]}\n".encode())
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            os.write(out, (json.dumps(answer(line.decode().strip())) + "\n").encode())
        server.should_exit = True
        await task

    asyncio.run(run())


def counted(witness: Witness) -> dict[str, float]:
    """How long a census takes on the loop, and what it finds."""
    times = []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        found = witness.ears.census.take(asyncio.get_running_loop())
        times.append((time.perf_counter() - before) * 1000)
    orphans = [one for one in found if one.kind in ("connection", "task")]
    return {
        "ms": round(statistics.median(times), 1),
        "worst_ms": round(max(times), 1),
        "orphans": len(orphans),
        "with_holder": sum(bool(one.holder) for one in orphans),
        "handlers": sum(one.kind == "handler" for one in found),
    }


async def crowd(port: int, count: int, source: str) -> None:
    """Open that many connections, say so, and wait to be killed."""
    gate = asyncio.Semaphore(200)
    kept = []

    async def one(number: int) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(f"{source}{number % 200 + 1}", 0)
            )
            writer.write(HANDSHAKE)
            await reader.readuntil(b"\r\n\r\n")
            kept.append(writer)

    await asyncio.gather(*map(one, range(count)))
    print("ready", flush=True)
    await asyncio.Event().wait()


async def talk(port: int, messages: int) -> None:
    """Messages to and fro on one connection; prints how many a second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    before = time.perf_counter()
    for _ in range(messages):
        writer.write(FRAME)
        await reader.readexactly(7)
    print(messages / (time.perf_counter() - before), flush=True)
