"""One connection through an embedded link: two sockets, and what flows between them."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Iterable
from contextlib import suppress

from lab.backends.faultlink import Direction
from lab.backends.gates import NOWHERE, Delay, Gate, Sink, Toll

RST_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER, on, for 0 seconds: closing discards what is unsent and sends an RST."""


class Side(asyncio.BaseProtocol):
    """One end of a connection, and the direction that begins there: what it reads goes through its gates to its peer.

    Attributes:
        data_received: what the event loop calls. With no gate it is the peer's own `transport.write`, so a healthy link
            runs no line of Python between a recv and the send.
    """

    data_received: Callable[[bytes], None]

    def __init__(self, lost: Callable[[], None]) -> None:
        self.peer = self
        self.transport: asyncio.Transport | None = None
        self.gone = False
        self._sink: Sink = NOWHERE
        self._way: Sink = NOWHERE
        self._gates: list[Gate] = []
        self._early: list[bytes] | None = []  # the peer's transport may not be there yet
        self.data_received = self._early.append
        self._ended = False
        self._pauses = 0
        self._lost = lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        assert isinstance(transport, asyncio.Transport)
        self._sink = self.transport = transport

    def start(self) -> None:
        """Both ends are there: let bytes flow, those first that came before."""
        early, self._early = self._early or [], None
        self._wire()
        for data in early:
            self.data_received(data)
        if self._ended:
            self._way.close()

    def eof_received(self) -> bool:
        """The peer gets what is under way, then this end is closed too: see `connection_lost` of the peer."""
        self._finish()
        return True

    def connection_lost(self, _exc: Exception | None) -> None:
        """The socket is closed, by either end."""
        self.gone, self._sink = True, NOWHERE
        self.peer._wire()
        self._finish()
        self._lost()

    def pause_writing(self) -> None:
        """This end reads too slowly."""
        self.peer.pause()

    def resume_writing(self) -> None:
        """This end has caught up."""
        self.peer.resume()

    def pause(self) -> None:
        """Read no more until `resume` has been called as often."""
        self._pauses += 1
        if self.transport is not None:
            self.transport.pause_reading()

    def resume(self) -> None:
        """Undo one `pause`."""
        self._pauses -= 1
        if self.transport is not None and not self._pauses:
            self.transport.resume_reading()

    def impose(self, toll: Toll) -> None:
        """Put a fault on, behind those that are there; the same one again only changes its delay."""
        for gate in self._gates:
            if gate.toll.name == toll.name:
                if isinstance(gate, Delay):
                    gate.retime(toll)
                return
        self._gates.append(toll.gate(self))
        self._wire()

    def lift(self) -> None:
        """Take every fault off."""
        for gate in self._gates:
            gate.lift()
        self._gates.clear()
        self._wire()

    def socket(self) -> TransportSocket | None:
        """The socket, once there is one."""
        return None if self.transport is None else self.transport.get_extra_info("socket")

    def abort(self) -> None:
        """Close the socket now, whatever is still to be written."""
        for gate in self._gates:
            gate.drop()
        if self.transport is not None:
            self.transport.abort()

    def _wire(self) -> None:
        if self._early is None:
            sink = self.peer._sink
            for gate in reversed(self._gates):
                gate.onward, sink = sink, gate
            self._way, self.data_received = sink, sink.write

    def _finish(self) -> None:
        if not self._ended:
            self._ended = True
            self._way.close()


class Connection:
    """A client's socket and the one to the server that is opened for it.

    Attributes:
        dial: the task that opens it.
    """

    def __init__(
        self,
        client: socket.socket,
        upstream: tuple[str, int],
        tolls: Iterable[Toll],
        closed: Callable[[Connection], None],
        *,
        armed: bool,
    ) -> None:
        self._client, self._armed, self._closed = client, armed, closed
        self._near = Side(self._lost)
        self._far = Side(self._lost)
        self._near.peer, self._far.peer = self._far, self._near
        for toll in tolls:
            self.impose(toll)
        self.dial = asyncio.get_running_loop().create_task(self._dial(*upstream))

    async def _dial(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self._far, host, port)
            await loop.connect_accepted_socket(lambda: self._near, self._client)
        except OSError:
            self._drop()
            return
        if self._armed:
            self._arm()
        self._near.start()
        self._far.start()

    def impose(self, toll: Toll) -> None:
        """Put a fault on one direction."""
        (self._near if toll.direction is Direction.UPSTREAM else self._far).impose(toll)

    def lift(self) -> None:
        """Take every fault off."""
        self._near.lift()
        self._far.lift()

    def kill(self, *, rst: bool) -> None:
        """Close both ends with an RST or a FIN, in the loop's next round."""
        if rst:
            self._arm()
        self.dial.cancel()
        self._drop()

    def _arm(self) -> None:
        for sock in (self._client, self._far.socket()):
            with suppress(OSError):  # one end may be closed already
                if sock is not None:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)

    def _drop(self) -> None:
        self._near.abort()
        self._far.abort()
        if self._near.transport is None:
            self._client.close()
        self._closed(self)

    def _lost(self) -> None:
        if self._near.gone and self._far.gone:
            self._closed(self)
