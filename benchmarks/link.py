"""What a link costs: the embedded one, as a thread of the measuring process and as its own, Toxiproxy, and none.

The server is a process of its own. Ways are measured in turn, round after round; a ratio compares two ways within one
round, and its figure is the median of the rounds. `python -m benchmarks.link [SECONDS]`
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, create_server

import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.sync.client import connect

from lab.backends.link import Links
from lab.backends.toxiproxy import Toxiproxy
from lab.clock import now
from tests import real_toxiproxy
from tests.link_rig import HOST, free_port

ROUNDS = 5
PATIENCE = 10.0
SMALL = b"x" * 64
LARGE = b"x" * 64 * 1024
CONNECTIONS, UNDER_WAY = 8, 4

Ports = tuple[int, int, int]
"""Where one way to the server begins: for echoes, for WebSocket messages, for what is only acknowledged."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the server; of each measure one value a round.

    Attributes:
        name: which.
        echo: median microseconds until SMALL comes back, over bare TCP; the server is asyncio.
        message: the same for a WebSocket message through uvicorn and FastAPI, as the lab's clients send them.
        flow: megabytes a second on CONNECTIONS connections, each with UNDER_WAY times LARGE not acknowledged yet.
    """

    name: str
    echo: list[float] = field(default_factory=list)
    message: list[float] = field(default_factory=list)
    flow: list[float] = field(default_factory=list)

    def line(self, direct: Way, toxiproxy: Way | None) -> str:
        """Medians, how many times direct's round trips, and how many times Toxiproxy's flow."""
        wide = "" if toxiproxy is None else f" ({ratio(self.flow, toxiproxy.flow):.2f} x Toxiproxy)"
        return (
            f"{self.name:22} echo {statistics.median(self.echo):4.0f} us ({ratio(self.echo, direct.echo):.2f} x direct)"
            f"   message {statistics.median(self.message):4.0f} us ({ratio(self.message, direct.message):.2f} x direct)"
            f"   flow {statistics.median(self.flow):5.0f} MB/s{wide}"
        )


def ratio(these: list[float], those: list[float]) -> float:
    """How many times those, round by round."""
    return statistics.median(a / b for a, b in zip(these, those, strict=True))


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """What was measured.

    Attributes:
        direct: no link.
        process: an embedded link in a process of its own.
        thread: an embedded link in the process that measures, as the lab uses it.
        toxiproxy: Toxiproxy, if it is installed.
    """

    direct: Way
    process: Way
    thread: Way
    toxiproxy: Way | None

    def __str__(self) -> str:
        ways = (self.direct, self.process, self.thread, self.toxiproxy)
        return "\n".join(way.line(self.direct, self.toxiproxy) for way in ways if way is not None)


def measure(seconds: float) -> LinkFigures:
    """Measure every way for its share of so many seconds."""
    with ExitStack() as stack:
        server = stack.enter_context(_other_process("server"))
        upstreams = [str(port) for port in server]
        links = stack.enter_context(Links())
        ports: dict[str, Ports] = {
            "direct": server,
            "embedded, own process": stack.enter_context(_other_process("links", *upstreams)),
            "embedded, a thread": _open(links, upstreams),
        }
        if real_toxiproxy.find() is not None:
            ports["Toxiproxy"] = stack.enter_context(_toxiproxy(upstreams))
        ways = [Way(name) for name in ports]
        share = seconds / (3 * ROUNDS * len(ways))
        for turn in range(ROUNDS):
            for way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:  # nobody always comes after the same one
                _measure(way, ports[way.name], share)
    direct, process, thread, *toxiproxy = ways
    return LinkFigures(direct, process, thread, toxiproxy[0] if toxiproxy else None)


def _measure(way: Way, ports: Ports, share: float) -> None:
    way.echo.append(_echo(ports[0], share))
    way.message.append(_message(ports[1], share))
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        way.flow.append(sum(pool.map(_flow, [ports[2]] * CONNECTIONS, [share] * CONNECTIONS)))


def _echo(port: int, share: float) -> float:
    with create_connection((HOST, port), PATIENCE) as sock:
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        times, until = [], now() + share
        while (asked := now()) < until:
            sock.sendall(SMALL)
            missing = len(SMALL)
            while missing:
                missing -= len(sock.recv(missing))
            times.append(now() - asked)
    return 1e6 * statistics.median(times)


def _message(port: int, share: float) -> float:
    with connect(f"ws://{HOST}:{port}/", proxy=None, compression=None) as client:
        times, until = [], now() + share
        while (asked := now()) < until:
            client.send(SMALL)
            client.recv(PATIENCE)
            times.append(now() - asked)
    return 1e6 * statistics.median(times)


def _flow(port: int, share: float) -> float:
    with create_connection((HOST, port), PATIENCE) as sock:
        began, acknowledged = now(), 0
        sock.sendall(LARGE * UNDER_WAY)
        while now() - began < share:
            acknowledged += (some := len(sock.recv(UNDER_WAY)))
            sock.sendall(LARGE * some)
        return 1e-6 * len(LARGE) * acknowledged / (now() - began)


class _Echoing(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class _Acknowledging(asyncio.BufferedProtocol):
    """Sends one byte back for every LARGE."""

    def __init__(self) -> None:
        self._got, self._buffer = 0, bytearray(UNDER_WAY * len(LARGE))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, _sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        whole, self._got = divmod(self._got + size, len(LARGE))
        self._transport.write(bytes(whole))


async def _message_back(socket: WebSocket) -> None:
    await socket.accept()
    async for data in socket.iter_bytes():
        await socket.send_bytes(data)


@contextmanager
def _other_process(*role: str) -> Iterator[Ports]:
    """This module as another process, until the end of its input; where it listens."""
    argv = [sys.executable, "-m", "benchmarks.link", *role]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        echo, message, flow = process.stdout.readline().split()
        yield int(echo), int(message), int(flow)
        process.stdin.close()


@contextmanager
def _toxiproxy(upstreams: list[str]) -> Iterator[Ports]:
    with real_toxiproxy.running() as api, Toxiproxy(HOST, api, bind=HOST) as toxiproxy:
        echo, message, flow = [(port, free_port()) for port in upstreams]
        for upstream, listen in (echo, message, flow):
            toxiproxy.link(upstream, f"{HOST}:{upstream}", listen, (HOST, listen))
        yield echo[1], message[1], flow[1]


def _open(links: Links, upstreams: list[str]) -> Ports:
    echo, message, flow = (links.open(port, (HOST, int(port))).address[1] for port in upstreams)
    return echo, message, flow


async def _be_the_server() -> None:
    loop = asyncio.get_running_loop()
    app = FastAPI()
    app.websocket("/")(_message_back)
    uvicorn_server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    echo, message, flow = [create_server((HOST, 0)) for _ in range(3)]
    await loop.create_server(_Echoing, sock=echo)
    await loop.create_server(_Acknowledging, sock=flow)
    serving = asyncio.create_task(uvicorn_server.serve([message]))
    _say((echo.getsockname()[1], message.getsockname()[1], flow.getsockname()[1]))
    await loop.run_in_executor(None, sys.stdin.read)
    uvicorn_server.should_exit = True
    await serving


def _be_the_links(upstreams: list[str]) -> None:
    with Links() as links:
        _say(_open(links, upstreams))
        sys.stdin.read()


def _say(ports: Ports) -> None:
    sys.stdout.write("{} {} {}\n".format(*ports))
    sys.stdout.flush()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server"]:
            asyncio.run(_be_the_server())
        case ["links", *upstreams]:
            _be_the_links(upstreams)
        case argv:
            sys.stdout.write(f"{measure(float(argv[0]) if argv else 20.0)}\n")
