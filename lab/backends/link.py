"""The embedded link: the contract of `faultlink`, kept by sockets of this process and one thread for all of them."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import ParamSpec, Self, TypeVar

from lab.backends import gates
from lab.backends.faultlink import Direction, LinkError
from lab.backends.gates import Toll
from lab.backends.memory import Memory, idle
from lab.backends.relay import Connection
from lab.backends.sockets import Address, bind, resolve
from lab.clock import Bracket, now

BACKLOG = 128
PATIENCE = 5.0
"""Seconds a caller waits for the thread of the links."""

P = ParamSpec("P")
T = TypeVar("T")


class EmbeddedLink:
    """A link of this process. `Links.open` makes it; its methods are for any thread but that of the links.

    Attributes:
        name: which client's link this is.
        address: host and port that the client dials.
    """

    def __init__(self, links: Links, name: str, upstream: list[Address]) -> None:
        self.name = name
        self._links, self._upstream = links, upstream
        self._armed = False
        self._tolls: dict[tuple[str, Direction], Toll] = {}
        self._connections: set[Connection] = set()
        self._turn = asyncio.Lock()
        # Bound but deaf: while the link is cut and its listener closed, nobody else is given this port.
        self._anchor = bind(0)
        self.address: tuple[str, int] = self._anchor.getsockname()
        if sys.platform != "linux":
            self._anchor.close()  # no other system binds a port twice
        self._listener: socket.socket | None = None
        self._listen()

    def aim(self, upstream: tuple[str, int]) -> None:
        """Send connections opened from now on to another host and port: a restarted server may listen elsewhere."""
        self._upstream = resolve(upstream)

    def arm(self) -> None:
        """See `Link.arm`. (An embedded link can reset without.)"""
        self._armed = True

    def cut(self) -> Bracket:
        """See `Link.cut`."""
        return self._do(self._kill, rst=False)

    def reset(self) -> Bracket:
        """See `Link.reset`."""
        return self._do(self._reset)

    def stall(self) -> Bracket:
        """See `Link.stall`."""
        return self._do(self._impose, [gates.stall(way) for way in Direction])

    def blackhole(self, *directions: Direction) -> Bracket:
        """See `Link.blackhole`."""
        return self._do(self._impose, [gates.blackhole(way) for way in directions or Direction])

    def latency(self, ms: int) -> Bracket:
        """See `Link.latency`."""
        return self._do(self._impose, [gates.latency(way, ms) for way in Direction])

    def idle(self, seconds: float, forgotten: Callable[[Bracket], None]) -> Bracket:
        """See `Link.idle`. `forgotten` is called on the thread of the links."""
        return self._do(self._idle, seconds, forgotten)

    def mend(self) -> Bracket:
        """See `Link.mend`."""
        return self._do(self._mend)

    def _do(self, act: Callable[P, Coroutine[None, None, None]], *args: P.args, **kwargs: P.kwargs) -> Bracket:
        async def timed() -> Bracket:
            async with self._turn:
                before = now()
                await act(*args, **kwargs)
                return Bracket(before, now())

        return self._links.call(timed, f"link {self.name!r}")

    async def _kill(self, *, rst: bool) -> None:
        if self._listener is not None:
            self._accept()  # who has connected already is an open connection
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        dials = [connection.dial for connection in self._connections]
        for connection in list(self._connections):
            connection.kill(rst=rst)
        await asyncio.gather(*dials, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes an aborted socket in its next round

    async def _reset(self) -> None:
        was_open = self._listener is not None
        await self._kill(rst=True)
        if was_open:
            self._listen()

    async def _impose(self, tolls: list[Toll]) -> None:
        for toll in tolls:
            self._tolls[toll.name, toll.direction] = toll
            for connection in self._connections:
                connection.impose(toll)

    async def _idle(self, seconds: float, forgotten: Callable[[Bracket], None]) -> None:
        await self._impose(self._remember(seconds, forgotten))

    def _remember(self, seconds: float, forgotten: Callable[[Bracket], None]) -> list[Toll]:
        def forget(bracket: Bracket) -> None:
            for toll in self._remember(seconds, forgotten):  # a client that connects from now on is a new flow
                self._tolls[toll.name, toll.direction] = toll
            forgotten(bracket)

        return idle(Memory(seconds, forget))

    async def _mend(self) -> None:
        self._tolls.clear()
        self._armed = False
        for connection in list(self._connections):
            connection.lift()
        if self._listener is None:
            self._listen()

    async def close(self) -> None:
        """Cut, for good. On the thread of the links."""
        await self._kill(rst=False)
        self._anchor.close()

    def _listen(self) -> None:
        try:
            self._listener = bind(self.address[1])
            self._listener.listen(BACKLOG)
        except OSError as why:
            raise LinkError(f"link {self.name!r} cannot listen on port {self.address[1]}: {why}") from why
        self._listener.setblocking(False)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        while self._listener is not None:
            try:
                client, _ = self._listener.accept()
            except OSError:  # nobody else is waiting, or the one who was has gone
                return
            client.setblocking(False)
            tolls, closed = self._tolls.values(), self._connections.discard
            self._connections.add(Connection(client, self._upstream, tolls, closed, armed=self._armed))


class Links:
    """Opens links and owns the thread they live on. Leaving the context closes them all, and ends the thread.

    Raises:
        LinkError: from any method, if the links are closed or their thread has not answered within PATIENCE.
    """

    def __init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="links", daemon=True)
        self._ready = threading.Event()
        self._links: dict[str, EmbeddedLink] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise LinkError(f"the links' thread did not start within {PATIENCE:.0f} s")
        return self

    def __exit__(self, *_: object) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise LinkError(f"the links' thread did not end within {PATIENCE:.0f} s")

    def open(self, name: str, upstream: tuple[str, int]) -> EmbeddedLink:
        """A link that listens on a free port of the loopback interface, before that server.

        Args:
            name: whose link it is; each name once.
            upstream: the server's host and port. Nothing need listen there yet.
        """
        addresses = resolve(upstream)
        return self.call(lambda: self._open(name, addresses), f"link {name!r}")

    def call(self, act: Callable[[], Coroutine[None, None, T]], who: str) -> T:
        """Run it on the thread of the links, and wait for its answer."""
        if self._loop is None:
            raise LinkError(f"{who}: the links are closed")
        answer = asyncio.run_coroutine_threadsafe(act(), self._loop)
        try:
            return answer.result(PATIENCE)
        except TimeoutError:
            answer.cancel()
            raise LinkError(f"{who}: no answer within {PATIENCE:.0f} s") from None

    async def _open(self, name: str, upstream: list[Address]) -> EmbeddedLink:
        if name in self._links:
            raise LinkError(f"there is a link {name!r} already")
        try:
            link = self._links[name] = EmbeddedLink(self, name, upstream)
        except OSError as why:
            raise LinkError(f"link {name!r} cannot be opened: {why}") from why
        return link

    def _run(self) -> None:
        # asyncio reads into 256 KiB. Until something larger has been freed once, glibc maps that anew for every message
        # (mallopt(3), M_MMAP_THRESHOLD): four page faults an echo, half of what it costs.
        bytes(1 << 20)
        # Not the platform's default: Windows' proactor shuts a socket down, with a FIN, before it closes it.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._leave.wait()
        for link in self._links.values():
            await link.close()
