"""What a link costs: the embedded one, as a thread of the measuring process and as its own, Toxiproxy, and none.

Both ends are asyncio, as in the lab, and the server is a process of its own. Ways are measured in turn, round after
round; a ratio compares two ways within one round, and its figure is the median of the rounds.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from lab.backends.link import Links
from lab.backends.toxiproxy import Toxiproxy
from lab.clock import now
from tests import real_toxiproxy
from tests.link_rig import HOST, free_port

ROUNDS = 5
CONNECTIONS = 8
SMALL, LARGE = 64, 64 * 1024
"""Bytes of a message: for round trips, and for throughput."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the server.

    Attributes:
        trip: microseconds an echo of SMALL bytes takes on one connection, one value (the median) a round.
        flow: megabytes a second that come back on CONNECTIONS connections, one echo of LARGE bytes under way on each.
    """

    name: str
    trip: tuple[float, ...]
    flow: tuple[float, ...]

    def slower_than(self, other: Way) -> float:
        """How many times its round trip."""
        return statistics.median(a / b for a, b in zip(self.trip, other.trip, strict=True))

    def wider_than(self, other: Way) -> float:
        """How many times its throughput."""
        return statistics.median(a / b for a, b in zip(self.flow, other.flow, strict=True))


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
        ways = [way for way in (self.direct, self.process, self.thread, self.toxiproxy) if way is not None]
        return "\n".join(self._line(way) for way in ways)

    def _line(self, way: Way) -> str:
        trip, flow = statistics.median(way.trip), statistics.median(way.flow)
        versus = "" if self.toxiproxy is None else f"   {way.wider_than(self.toxiproxy):5.2f} x Toxiproxy"
        return f"{way.name:22}{trip:7.0f} us  {way.slower_than(self.direct):5.2f} x direct   {flow:6.0f} MB/s{versus}"


def measure(seconds: float) -> LinkFigures:
    """Measure every way for its share of so many seconds."""
    with ExitStack() as stack:
        server = stack.enter_context(_other_process("echo"))
        ways = {
            "direct": server,
            "embedded, own process": stack.enter_context(_other_process("link", str(server[1]))),
            "embedded, a thread": stack.enter_context(Links()).open("bench", server).address,
        }
        if real_toxiproxy.find() is not None:
            ways["Toxiproxy"] = stack.enter_context(_toxiproxy(server))
        share = seconds / (2 * ROUNDS * len(ways))
        return asyncio.run(_measure(ways, share))


async def _measure(ways: dict[str, Address], share: float) -> LinkFigures:
    trips: dict[str, list[float]] = {name: [] for name in ways}
    flows: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS):
        # Each round begins elsewhere, so that nobody always comes after the same one.
        for name in [*ways][turn % len(ways) :] + [*ways][: turn % len(ways)]:
            (trip,) = await _echo(ways[name], 1, SMALL, share)
            trips[name].append(1e6 * statistics.median(trip))
            began = now()
            echoes = await _echo(ways[name], CONNECTIONS, LARGE, share)
            flows[name].append(1e-6 * LARGE * sum(map(len, echoes)) / (now() - began))
    direct, process, thread, *toxiproxy = [Way(name, tuple(trips[name]), tuple(flows[name])) for name in ways]
    return LinkFigures(direct, process, thread, toxiproxy[0] if toxiproxy else None)


async def _echo(where: Address, connections: int, size: int, share: float) -> list[list[float]]:
    """The seconds of every echo, for each connection."""
    until = now() + share
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: _Asking(size, until), *where) for _ in range(connections)]
    return [await asking.done for _, asking in opened]


class _Asking(asyncio.Protocol):
    """Sends a message, waits for its echo, and does so again until the time is over."""

    def __init__(self, size: int, until: float) -> None:
        self.done: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._message, self._until = bytes(size), until
        self._missing = size
        self._times: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing == 0:
            self._times.append(now() - self._asked)
            if now() < self._until:
                self._ask()
            else:
                self._transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.done.set_result(self._times)

    def _ask(self) -> None:
        self._missing, self._asked = len(self._message), now()
        self._transport.write(self._message)


class _Echoing(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.data_received = transport.write  # type: ignore[method-assign, assignment]


@contextmanager
def _other_process(*role: str) -> Iterator[Address]:
    """This module as another process, until the end of its input; where it listens."""
    argv = [sys.executable, "-m", "tests.bench_link", *role]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield HOST, int(process.stdout.readline())
        process.stdin.close()


@contextmanager
def _toxiproxy(server: Address) -> Iterator[Address]:
    with real_toxiproxy.running() as port, Toxiproxy(HOST, port, bind=HOST) as toxiproxy:
        listen = free_port()
        yield toxiproxy.link("bench", f"{server[0]}:{server[1]}", listen, (HOST, listen)).address


async def _be_the_server() -> None:
    loop = asyncio.get_running_loop()
    async with await loop.create_server(_Echoing, HOST, 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


def _be_the_link(upstream: int) -> None:
    with Links() as links:
        print(links.open("bench", (HOST, upstream)).address[1], flush=True)
        sys.stdin.read()


def main(argv: list[str]) -> None:
    """`echo` and `link PORT` are the other processes; a number is how many seconds to measure."""
    match argv:
        case ["echo"]:
            asyncio.run(_be_the_server())
        case ["link", port]:
            _be_the_link(int(port))
        case _:
            print(measure(float(argv[0]) if argv else 20.0))


if __name__ == "__main__":
    main(sys.argv[1:])
