"""One connection through an embedded link: two sockets, and what flows between them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress

from lab.backends.faultlink import Direction
from lab.backends.gates import NOWHERE, Delay, Gate, Sink, Toll
from lab.backends.sockets import Address, fin_first, rst_on_close


class Side(asyncio.BaseProtocol):
    """One end of a connection, and the direction that begins there: what it reads goes through its gates to its peer.

    Attributes:
        data_received: what the event loop calls. With no gate it is the peer's own `transport.write`, so a healthy link
            runs no line of Python between a recv and the send.
        write: sends to this end.
        peer: the other end.
        armed: whether this end closes with an RST.
        gone: whether its socket is closed.
    """

    data_received: Callable[[bytes], None]
    write: Callable[[bytes], None]

    def __init__(self, lost: Callable[[], None]) -> None:
        self.peer = self
        self.armed = self.gone = False
        self.write = NOWHERE.write
        self._transport: asyncio.Transport | None = None
        self._gates: list[Gate] = []
        self._way: Sink = NOWHERE
        self._early: list[bytes] | None = []  # the peer's transport may not be there yet
        self.data_received = self._early.append
        self._ended = False
        self._pauses = 0
        self._lost = lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket has its transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.write = transport, transport.write

    def start(self) -> None:
        """Both ends are there: let bytes flow, those first that came before."""
        early, self._early = self._early or [], None
        self._wire()
        for data in early:
            self.data_received(data)
        if self._ended:
            self._way.close()

    def eof_received(self) -> bool:
        """Nothing more comes from this end. It stays open until the direction towards it has ended too."""
        self._finish()
        return True

    def connection_lost(self, _exc: Exception | None) -> None:
        """The socket is closed, by either end."""
        self.gone, self.write = True, NOWHERE.write
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
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Undo one `pause`."""
        self._pauses -= 1
        if self._transport is not None and not self._pauses:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close this end, after what is under way to it. Whatever is written later is lost."""
        self.write = NOWHERE.write
        self.peer._wire()
        if self._transport is not None and not self._transport.is_closing():
            if not self.armed:
                with suppress(OSError):
                    self._transport.write_eof()  # for the reason that `fin_first` gives
            self._transport.close()

    def reset(self) -> None:
        """Close this end with an RST in the loop's next round; what that means for its peer is its gates' affair."""
        if self._transport is not None and not self.gone:
            rst_on_close(self._transport.get_extra_info("socket").setsockopt)
            self._transport.abort()

    def abort(self) -> None:
        """Close this end in the loop's next round, whatever is under way."""
        for gate in self._gates:
            gate.drop()
        if self._transport is not None:
            self._transport.abort()

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

    def _wire(self) -> None:
        if self._early is None:
            sink: Sink = self.peer
            for gate in reversed(self._gates):
                gate.onward, sink = sink, gate
            self._way, self.data_received = sink, sink.write

    def _finish(self) -> None:
        if not self._ended:
            self._ended = True
            self._way.close()


class Connection:
    """A client's socket and the one to the server that is opened for it.

    Args:
        client: its socket.
        upstream: the addresses of the server, to be tried in turn.
        tolls: the faults that are on.
        closed: called when both sockets are closed, or about to be.
        armed: whether both shall close with an RST once the server is connected.

    Attributes:
        dial: the task that opens it.
    """

    def __init__(
        self,
        client: socket.socket,
        upstream: Iterable[Address],
        tolls: Iterable[Toll],
        closed: Callable[[Connection], None],
        *,
        armed: bool,
    ) -> None:
        self._sockets = [client]
        self._to_arm, self._closed = armed, closed
        self._near, self._far = Side(self._lost), Side(self._lost)
        self._near.peer, self._far.peer = self._far, self._near
        self._dialling, self._dead = True, False
        for toll in tolls:
            self.impose(toll)
        self.dial = asyncio.get_running_loop().create_task(self._dial(client, upstream))
        self.dial.add_done_callback(self._dialled)  # also called if the task is cancelled before it has begun

    def impose(self, toll: Toll) -> None:
        """Put a fault on one direction."""
        (self._near if toll.direction is Direction.UPSTREAM else self._far).impose(toll)

    def lift(self) -> None:
        """Take every fault off."""
        self._near.lift()
        self._far.lift()

    def kill(self, *, rst: bool) -> None:
        """Close both ends, with an RST or a FIN. Done when `dial` is, and the loop has gone round once more."""
        self._dead = True
        if rst:
            self._arm()
        if self._dialling:
            self.dial.cancel()
        self._drop()

    async def _dial(self, client: socket.socket, upstream: Iterable[Address]) -> None:
        loop = asyncio.get_running_loop()
        for family, address in upstream:
            server = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            server.setblocking(False)
            self._sockets[1:] = [server]
            try:
                await loop.sock_connect(server, address)
            except OSError:
                server.close()
                continue
            self._dialling = False
            if self._to_arm:
                self._arm()
            await loop.create_connection(lambda: self._far, sock=server)
            await loop.connect_accepted_socket(lambda: self._near, client)
            return

    def _dialled(self, task: asyncio.Task[None]) -> None:
        if self._dialling or task.cancelled() or task.exception() is not None:
            self._drop()
            for sock in self._sockets:
                sock.close()
        elif self._dead:
            self._drop()
        else:
            self._near.start()
            self._far.start()

    def _arm(self) -> None:
        self._near.armed = self._far.armed = True
        for sock in self._sockets:
            rst_on_close(sock.setsockopt)

    def _drop(self) -> None:
        if not self._near.armed:
            for sock in self._sockets:
                fin_first(sock)
        self._near.abort()
        self._far.abort()
        self._closed(self)

    def _lost(self) -> None:
        if self._near.gone and self._far.gone:
            self._closed(self)
