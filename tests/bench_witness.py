"""What the witness costs: python -m tests.bench_witness [connections] [orphans].

One uvicorn process with the witness round the application and one without, side by side in the same run: echo
throughput, a crowd that is killed at once, memory; and a census of many open connections and many orphans.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from typing import Any

import psutil

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FRAME = b"\x81\x85\x00\x00\x00\x00hello"
"""A masked text frame, mask zero."""

ROUNDS = 5


# The application: a quarter of the orphans in each of four places.

held: dict[int, Any] = {}
callbacks: list[Any] = []
waiting: list[asyncio.Task[None]] = []
errors: list[BaseException] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Echo; with `?leak` it forgets to let go."""
    if scope["type"] != "websocket":
        return
    from starlette.websockets import WebSocket, WebSocketDisconnect

    socket = WebSocket(scope, receive, send)
    await socket.accept()
    number = len(held) + len(callbacks) + len(waiting) + len(errors)
    leaks = os.environ.get("BENCH_LEAK") == "1" and scope["client"][0] == "127.0.0.2"
    if leaks:
        keep(number, socket)
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect as gone:
        if leaks and number % 4 == 3:
            errors.append(gone)


def keep(number: int, socket: Any) -> None:
    """In a dict, in a closure, in a task that never ends; or, later, in an exception."""

    async def wait() -> None:
        await asyncio.Event().wait()
        await socket.close()

    match number % 4:
        case 0:
            held[number] = socket
        case 1:
            callbacks.append(lambda: socket)
        case 2:
            waiting.append(asyncio.create_task(wait()))


# The server, in a process of its own.


def serve(witnessed: bool) -> None:  # one process, from start to end
    """uvicorn on any free port, which it prints; then answers orders on standard input."""
    import uvicorn

    from lab.witness.census import Census
    from lab.witness.connections import Connections
    from lab.witness.flavour import protocol
    from lab.witness.tasks import Tasks
    from lab.witness.threads import Threads
    from lab.witness.wire import Wires

    sys.stdout.flush()
    out = os.dup(1)
    os.dup2(2, 1)
    connections, tasks, threads = Connections(app), Tasks(), Threads()  # type: ignore[arg-type]  # dicts are what they are
    wires = Wires(connections.names)
    census = Census(connections, tasks, threads, "tests", wires.protocols)
    ws: Any = protocol("auto")
    if witnessed:
        ws = wires.tap(ws)
        os.set_inheritable(out, False)
    from lab.actors import voice

    voice._fd = os.open(os.devnull, os.O_WRONLY)
    config = uvicorn.Config(
        connections if witnessed else app,
        port=0,
        loop="asyncio",
        ws=ws,
        ws_ping_interval=None,
        log_level="warning",
        lifespan="off",
        backlog=4096,
    )

    class Listening(uvicorn.Server):
        listens = asyncio.Event()

        async def startup(self, sockets: list[Any] | None = None) -> None:
            await super().startup(sockets)
            self.listens.set()

    server = Listening(config)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        if witnessed:
            tasks.watch(loop)
            threads.watch()
        task = asyncio.create_task(server.serve())
        await server.listens.wait()
        gc.collect()
        gc.freeze()
        os.write(out, f"{server.servers[0].sockets[0].getsockname()[1]}\n".encode())
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            os.write(out, (json.dumps(answer(line.decode().strip(), loop)) + "\n").encode())
        server.should_exit = True
        await task

    def answer(order: str, loop: asyncio.AbstractEventLoop) -> Any:
        if order == "open":
            return len(server.server_state.connections)
        if order == "rss":
            gc.collect()
            return psutil.Process().memory_info().rss
        times = []
        for _ in range(ROUNDS):
            before = time.perf_counter()
            found = census.take(loop)
            times.append((time.perf_counter() - before) * 1000)
        orphans = [one for one in found if one.kind in ("connection", "task") and one.holder]
        return {
            "ms": statistics.median(times),
            "worst_ms": max(times),
            "with_holder": len(orphans),
            "known": len(connections.known),
        }

    asyncio.run(run())


# The clients, in a process of their own.


async def crowd(port: int, count: int, source: str) -> None:
    """Open that many connections, say so, and wait to be killed."""
    gate = asyncio.Semaphore(200)
    kept = []

    async def one() -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            writer.write(HANDSHAKE)
            await reader.readuntil(b"\r\n\r\n")
            kept.append(writer)

    await asyncio.gather(*(one() for _ in range(count)))
    print("ready", flush=True)
    await asyncio.Event().wait()


async def echo(port: int, messages: int) -> None:
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

    def __init__(self, witnessed: bool, leak: bool = False) -> None:
        self.process = start("serve", "1" if witnessed else "0", env={"BENCH_LEAK": "1" if leak else "0"})
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


def start(*argv: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """This module again, as somebody else."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.bench_witness", *argv]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=os.environ | (env or {}))


def gather(port: int, count: int, source: str = "127.0.0.1") -> subprocess.Popen[str]:
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


def side_by_side(count: int) -> None:
    """Both servers in turn, so that whatever else the machine does is the same for both."""
    servers = {"without": Server(False), "with": Server(True)}
    try:
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(ROUNDS):
            for name, server in servers.items():
                rates[name].append(throughput(server))
        storms: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        memory: dict[str, list[int]] = {name: [] for name in servers}
        for _ in range(ROUNDS):
            for name, server in servers.items():
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
            f"   {kib:5.1f} KiB each   grows {grown:+.3f} KiB each"
        )


def census(count: int, orphans: int) -> None:
    """A census of that many open connections and orphans."""
    server = Server(True, leak=True)
    try:
        living = gather(server.port, count)
        dying = gather(server.port, orphans, "127.0.0.2")
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
            serve(witnessed == "1")
        case ["crowd", port, count, source]:
            asyncio.run(crowd(int(port), int(count), source))
        case ["echo", port, messages]:
            asyncio.run(echo(int(port), int(messages)))
        case _:
            opened, left = (int(one) for one in (argv or ["9000", "1000"]))
            census(opened, left)
            side_by_side(opened)


if __name__ == "__main__":
    main(sys.argv[1:])
