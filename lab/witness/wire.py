"""Facts from the server's own socket: was there a Close frame, and did the stream end by FIN or by RST?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, MutableMapping
from typing import Any

from lab.actors.voice import observe

CLOSE = 0x8
NO_CODE = 1005  # RFC 6455 §7.4.1: a Close frame without a code


class FrameScanner:
    """Finds the Close frame in one direction of a WebSocket's bytes, handshake included.

    It follows frame lengths (RFC 6455 §5.2) and looks at nothing else, so that compression, fragmentation
    and the application's data are all the same to it.

    Attributes:
        close: the code of the first Close frame; 1005 if it had none; None if there was no such frame.
    """

    def __init__(self) -> None:
        self.close: int | None = None
        self._buffer = b""
        self._skip = 0
        self._shaken = False

    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the stream."""
        if self.close is not None:
            return
        if self._skip >= len(data):
            self._skip -= len(data)
            return
        self._buffer += data[self._skip :]
        self._skip = 0
        if not self._shaken:
            head, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            self._shaken = True
        while self._frame():
            pass

    def _frame(self) -> bool:
        """Consume one frame from the buffer; False when more bytes are needed first."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        masked, length, at = buffer[1] & 0x80, buffer[1] & 0x7F, 2
        if length >= 126:
            width = 2 if length == 126 else 8
            if len(buffer) < at + width:
                return False
            length, at = int.from_bytes(buffer[at : at + width], "big"), at + width
        body = at + (4 if masked else 0)
        if buffer[0] & 0x0F == CLOSE:
            if len(buffer) < body + length:
                return False
            self.close = _code(buffer[body : body + length], buffer[at:body])
            return False
        self._skip = max(0, body + length - len(buffer))
        self._buffer = buffer[body + length :]
        return bool(self._buffer)


def _code(payload: bytes, mask: bytes) -> int:
    if len(payload) < 2:
        return NO_CODE
    plain = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload[:2])) if mask else payload[:2]
    return int.from_bytes(plain, "big")


class Wire:
    """What crossed one socket of the server."""

    def __init__(self, peer: tuple[str, int]) -> None:
        self.peer = peer
        self.received = FrameScanner()
        self.sent = FrameScanner()
        self.heard = time.monotonic()
        self.finished = False

    def hear(self, data: bytes) -> None:
        """Bytes came from the client."""
        self.heard = time.monotonic()
        self.received.feed(data)

    @property
    def silent_ms(self) -> float:
        """Milliseconds since the last byte from the client."""
        return round((time.monotonic() - self.heard) * 1000, 3)

    def lost(self, name: str, exc: Exception | None) -> None:
        """The socket is gone: say how."""
        by = "rst" if isinstance(exc, ConnectionError) else "fin" if self.finished else "server"
        observe(
            "disconnected",
            name,
            by=by,
            received=self.received.close,
            sent=self.sent.close,
            silent_ms=self.silent_ms,
        )


class Tap:
    """A transport that shows what is written through it, and is the real one for everything else."""

    def __init__(self, transport: Any, wire: Wire) -> None:
        self._transport = transport
        self._wire = wire

    def write(self, data: bytes) -> None:
        """Pass bytes on to the client."""
        self._wire.sent.feed(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Wires:
    """All open sockets that speak WebSocket.

    Args:
        names: the connection at each peer address; forgotten here when its socket is gone.

    Attributes:
        open: those whose socket is open.
        protocols: the types that lead from one connection to all.
    """

    def __init__(self, names: MutableMapping[tuple[str, int], str]) -> None:
        self.open: set[Wire] = set()
        self.names = names
        self.protocols: set[type] = {Tap}

    def name(self, peer: tuple[str, int]) -> str:
        """The connection at a peer address."""
        return self.names.get(peer) or f"{peer[0]}:{peer[1]}"

    def silent(self) -> Mapping[str, float]:
        """For each connection, milliseconds since its client's last byte."""
        return {self.name(wire.peer): wire.silent_ms for wire in self.open}

    def tap(self, protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
        """A subclass of one of uvicorn's WebSocket protocols that reports to us and changes nothing."""
        wires = self

        class Tapped(protocol):  # type: ignore[misc,valid-type]  # the base is chosen at run time
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.hangup_wire = Wire(transport.get_extra_info("peername")[:2])
                wires.open.add(self.hangup_wire)
                super().connection_made(Tap(transport, self.hangup_wire))

            def data_received(self, data: bytes) -> None:
                self.hangup_wire.hear(data)
                super().data_received(data)

            def eof_received(self) -> Any:
                self.hangup_wire.finished = True
                return super().eof_received()

            def connection_lost(self, exc: Exception | None) -> None:
                wires.open.discard(self.hangup_wire)
                self.hangup_wire.lost(wires.name(self.hangup_wire.peer), exc)
                wires.names.pop(self.hangup_wire.peer, None)
                super().connection_lost(exc)

        Tapped.__name__ = protocol.__name__
        self.protocols.add(Tapped)
        return Tapped
