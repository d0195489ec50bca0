"""What the witness costs: python -m tests.bench_witness [connections] [orphans].

One uvicorn process with the witness round the application and one without, side by side in the same run: echo
throughput, a crowd that is killed at once, memory; and a census of many open connections and many orphans.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import itertools
import json
import os
import resource
import signal
import statistics
import subprocess
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


# The application: an echo as people write it; of those who come from the second address it forgets to let go.


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


# The server, in a process of its own.


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


# The clients, in a process of their own.


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


# The measurements.


class Server:
    """A server process."""

    def __init__(self, *, witnessed: bool) -> None:
        self.process = start("serve", "1" if witnessed else "0")
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def ask(self, order: str) -> Any:
        """An order, and its answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


def start(*argv: str) -> subprocess.Popen[str]:
    """This module again, as somebody else."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.bench_witness", *argv]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def gather(port: int, count: int, source: str = ORDINARY) -> subprocess.Popen[str]:
    """That many clients, connected."""
    process = start("crowd", str(port), str(count), source)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def storm(server: Server, count: int) -> tuple[float, float]:
    """Milliseconds from the kill of all clients until none is open; KiB a connection at the height of it."""
    empty = server.ask("rss")
    clients = gather(server.port, count)
    full = server.ask("rss")
    before = time.perf_counter()
    clients.send_signal(signal.SIGKILL)
    while server.ask("open"):
        time.sleep(0.005)  # to ask without a pause would be a load of its own, on what is measured
    took = (time.perf_counter() - before) * 1000
    clients.communicate()
    return took, (full - empty) / 1024 / count


def throughput(server: Server, messages: int = 20_000) -> float:
    """Messages a second, there and back."""
    said, _ = start("echo", str(server.port), str(messages)).communicate()
    return float(said)


def in_turn(servers: dict[str, Server], turn: int) -> list[tuple[str, Server]]:
    """Each goes first every other time: what one has left to the kernel must not be the other's."""
    return list(servers.items())[:: -1 if turn % 2 else 1]


def side_by_side(count: int) -> None:
    """Both servers in turn, so that whatever else the machine does is the same for both."""
    servers = {"without": Server(witnessed=False), "with": Server(witnessed=True)}
    try:
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for turn in range(ROUNDS):
            for name, server in in_turn(servers, turn):
                rates[name].append(throughput(server))
        storms: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        memory: dict[str, list[int]] = {name: [] for name in servers}
        for turn in range(ROUNDS):
            for name, server in in_turn(servers, turn):
                storms[name].append(storm(server, count))
                memory[name].append(server.ask("rss"))
    finally:
        for server in servers.values():
            server.close()
    for name in servers:
        rate, zero = statistics.median(rates[name]), statistics.median(took for took, _ in storms[name])
        kib = storms[name][0][1]
        grown = (memory[name][-1] - memory[name][1]) / 1024 / count / (ROUNDS - 2)
        print(
            f"{name:<8} echo {rate:8.0f}/s   {count} killed: {zero:7.1f} ms to zero"
            f"   {kib:6.2f} KiB each   grows {grown:+.3f} KiB each"
        )


def census(count: int, orphans: int) -> None:
    """A census of that many open connections and orphans."""
    server = Server(witnessed=True)
    try:
        living = gather(server.port, count)
        dying = gather(server.port, orphans, LEAKING)
        dying.kill()
        dying.communicate()
        while server.ask("open") > count:
            time.sleep(0.02)  # uvicorn says to nobody that a connection is gone: it can only be asked again
        print(f"census of {count} open and {orphans} orphans: {server.ask('census')}")
        living.kill()
        living.communicate()
    finally:
        server.close()


def main(argv: list[str]) -> None:
    """Measure, or be the server, the crowd or the echo."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    del soft
    match argv:
        case ["serve", witnessed]:
            module = importlib.import_module("tests.bench_witness")  # as itself: `__main__` is the lab's
            module.serve(witnessed == "1")
        case ["crowd", port, count, source]:
            asyncio.run(crowd(int(port), int(count), source))
        case ["echo", port, messages]:
            asyncio.run(talk(int(port), int(messages)))
        case _:
            opened, left = (int(one) for one in (argv or ["9000", "1000"]))
            census(opened, left)
            side_by_side(opened)


if __name__ == "__main__":
    main(sys.argv[1:])
