"""Facts from the server's own socket: was there a Close frame, and did the stream end by FIN or by RST?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from lab.actors.voice import Kind
from lab.clock import now
from lab.witness.frames import PINGED, FrameScanner, follow, is_one_small_frame

Note = Callable[..., None]
"""Takes a kind of fact, the connection, when it was so, and the fact's values; see lab.actors.voice.Notes."""


def _how(
    at: float, reset: bool, finished: bool, received: int | None, sent: int | None, heard: float
) -> dict[str, object]:
    by = "rst" if reset else "fin" if finished else "server"
    return {"by": by, "received": received, "sent": sent, "silent_ms": _ms(at - heard)}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


DISCONNECTED = Kind("disconnected", ("reset", "finished", "received", "sent", "heard"), _how)


class Wire:
    """One socket of the server: its transport, and what crossed it.

    For the server it is the transport. One object, for there may be ten thousand of them.

    Attributes:
        name: the connection that it carries; "" until that is known.
        finished: whether the client will say no more.
        pings: how many pings the client has not answered yet.
    """

    __slots__ = ("_heard", "_received", "_sent", "_transport", "finished", "name", "pings")

    def __init__(self, transport: Any) -> None:
        self.name = ""
        self._transport = transport
        self._received: FrameScanner | None = FrameScanner()
        self._sent: FrameScanner | None = FrameScanner()
        self._heard = now()
        self.finished = False
        self.pings = 0

    @property
    def closing(self) -> bool:
        """Whether a Close frame went to the client."""
        return self._sent is not None and self._sent.close is not None

    def write(self, data: bytes) -> None:
        """Pass bytes on to the client."""
        if self._sent is not None or not is_one_small_frame(data):
            self.pings += data[:1] == PINGED and self._sent is None
            self._sent = follow(self._sent, data)
        self._transport.write(data)

    def close(self) -> None:
        """As the transport. It and is_closing() are asked for often, and __getattr__ takes a microsecond."""
        self._transport.close()

    def is_closing(self) -> bool:
        """As the transport."""
        closing: bool = self._transport.is_closing()
        return closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def hear(self, data: bytes) -> None:
        """Bytes came from the client."""
        self._heard = now()
        if self._received is not None or not is_one_small_frame(data):
            scanner = self._received or FrameScanner(shaken=True)
            scanner.feed(data)
            if scanner.pongs:
                self.pings, scanner.pongs = max(0, self.pings - scanner.pongs), 0
            self._received = None if scanner.between_frames else scanner

    def silent_ms(self, at: float) -> float:
        """Milliseconds from the last byte from the client to that moment."""
        return _ms(at - self._heard)

    def who(self) -> str:
        """The connection that it carries, else its peer's address."""
        return self.name or "{}:{}".format(*(self._transport.get_extra_info("peername") or ("unknown", 0))[:2])

    def lost(self, exc: Exception | None, note: Note) -> None:
        """The socket is gone: note how."""
        received = None if self._received is None else self._received.close
        sent = None if self._sent is None else self._sent.close
        reset = isinstance(exc, ConnectionError)
        note(DISCONNECTED, self.who(), now(), reset, self.finished, received, sent, self._heard)


class Carrier:
    """A server's protocol that has a wire.

    Attributes:
        hangup_wire: its wire.
        scope: what it gives the application, uvicorn's own.
        connections: those of its server, uvicorn's own.
    """

    hangup_wire: Wire
    scope: Any
    connections: set[object]


class Wires:
    """All open sockets that speak WebSocket.

    Args:
        note: told how each of them ended.

    Attributes:
        protocols: the types that lead from one connection to all.
    """

    def __init__(self, note: Note) -> None:
        self.protocols: set[type] = {Wire, Wires}
        self._note = note
        self._connections: set[object] = set()

    @property
    def open(self) -> list[Wire]:
        """Those whose socket is open, by the server's own account. From any thread."""
        return [one.hangup_wire for one in tuple(self._connections) if isinstance(one, Carrier)]

    def silent(self, at: float) -> Mapping[str, float]:
        """For each connection, milliseconds from its client's last byte to that moment. From any thread."""
        return {wire.who(): wire.silent_ms(at) for wire in self.open}

    def owing(self, gone: frozenset[str]) -> bool:
        """Whether a client that lives has not yet answered a ping, or a Close frame."""
        return any((one.pings or one.closing) and one.name not in gone for one in self.open)

    def tap(self, protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
        """A subclass of one of uvicorn's WebSocket protocols that reports to us and behaves as before."""
        wires, note = self, self._note

        class Tapped(Carrier, protocol):  # type: ignore[misc,valid-type]  # the base is chosen at run time
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                made: Any = Wire(transport)
                self.hangup_wire = made
                protocol.connection_made(self, made)
                wires._connections = self.connections  # all that its server knows

            def data_received(self, data: bytes) -> None:
                self.hangup_wire.hear(data)
                protocol.data_received(self, data)  # not super(): that costs as much again as all we do here

            def eof_received(self) -> Any:
                self.hangup_wire.finished = True
                return protocol.eof_received(self)

            def connection_lost(self, exc: Exception | None) -> None:
                self.hangup_wire.lost(exc, note)
                protocol.connection_lost(self, exc)

        Tapped.__name__ = protocol.__name__
        self.protocols.add(Tapped)
        return Tapped
