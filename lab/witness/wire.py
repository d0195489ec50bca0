"""Facts from the server's own socket: was there a Close frame, and did the stream end by FIN or by RST?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from lab.actors.voice import Kind

Peer = tuple[str, int]

CLOSE = 0x8
NO_CODE = 1005  # RFC 6455 §7.4.1: a Close frame without a code


DISCONNECTED = Kind("disconnected", ("by", "received", "sent", "silent_ms"))

Note = Callable[..., None]
"""Takes a kind of fact, the connection and the fact's values; see lab.actors.voice.Notes."""


class FrameScanner:
    """Finds the Close frame in one direction of a WebSocket's bytes, handshake included.

    It follows frame lengths (RFC 6455 §5.2) and looks at nothing else, so that compression, fragmentation
    and the application's data are all the same to it.

    Attributes:
        close: the code of the first Close frame; 1005 if it had none; None if there was no such frame.
    """

    __slots__ = ("_buffer", "_shaken", "_skip", "close")

    def __init__(self) -> None:
        self.close: int | None = None
        self._buffer = b""
        self._skip = 0
        self._shaken = False

    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the stream."""
        if self.close is not None or self._is_one_small_frame(data):
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

    def _is_one_small_frame(self, data: bytes) -> bool:
        """Whether it is what nearly every read and write is, and no Close frame: then nothing is to be done."""
        if self._buffer or self._skip or not self._shaken or len(data) < 2 or data[0] & 0x0F == CLOSE:
            return False
        length = data[1]
        return len(data) == (length + 2 if length < 0x7E else length - 0x80 + 6 if 0x80 <= length < 0xFE else -1)

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
    """What crossed one socket of the server.

    Attributes:
        name: the connection that it carries, once that is known; its peer's address until then.
    """

    __slots__ = ("finished", "heard", "name", "received", "sent")

    def __init__(self, name: str) -> None:
        self.name = name
        self.received = FrameScanner()
        self.sent = FrameScanner()
        self.heard = time.monotonic()
        self.finished = False

    def hear(self, data: bytes) -> None:
        """Bytes came from the client."""
        self.heard = time.monotonic()
        self.received.feed(data)

    def silent_ms(self, at: float) -> float:
        """Milliseconds from the last byte from the client to that moment."""
        return round((at - self.heard) * 1000, 3)

    def lost(self, exc: Exception | None, note: Note) -> None:
        """The socket is gone: note how."""
        by = "rst" if isinstance(exc, ConnectionError) else "fin" if self.finished else "server"
        note(DISCONNECTED, self.name, by, self.received.close, self.sent.close, self.silent_ms(time.monotonic()))


class Tap:
    """A transport that shows what is written through it, and is the real one for everything else."""

    __slots__ = ("_transport", "_wire")

    def __init__(self, transport: Any, wire: Wire) -> None:
        self._transport = transport
        self._wire = wire

    def write(self, data: bytes) -> None:
        """Pass bytes on to the client."""
        self._wire.sent.feed(data)
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


class Wires:
    """All open sockets that speak WebSocket.

    Args:
        note: told how each of them ended.

    Attributes:
        open: those whose socket is open, by their peer's address.
        protocols: the types that lead from one connection to all.
    """

    def __init__(self, note: Note) -> None:
        self.open: dict[Peer, Wire] = {}
        self.protocols: set[type] = {Tap, Wire, Wires}
        self._note = note

    def named(self, peer: Peer, name: str) -> None:
        """What the connection at a peer address is called."""
        if wire := self.open.get(peer):
            wire.name = name

    def silent(self, at: float) -> Mapping[str, float]:
        """For each connection, milliseconds from its client's last byte to that moment. From any thread."""
        return {wire.name: wire.silent_ms(at) for wire in tuple(self.open.values())}

    def tap(self, protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
        """A subclass of one of uvicorn's WebSocket protocols that reports to us and changes nothing."""
        opened, note = self.open, self._note

        class Tapped(protocol):  # type: ignore[misc,valid-type]  # the base is chosen at run time
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.hangup_peer: Peer = transport.get_extra_info("peername")[:2]
                self.hangup_wire = opened[self.hangup_peer] = Wire("{}:{}".format(*self.hangup_peer))
                super().connection_made(Tap(transport, self.hangup_wire))

            def data_received(self, data: bytes) -> None:
                self.hangup_wire.hear(data)
                protocol.data_received(self, data)  # not super(): that costs as much again as all we do here

            def eof_received(self) -> Any:
                self.hangup_wire.finished = True
                return protocol.eof_received(self)

            def connection_lost(self, exc: Exception | None) -> None:
                opened.pop(self.hangup_peer, None)
                self.hangup_wire.lost(exc, note)
                protocol.connection_lost(self, exc)

        Tapped.__name__ = protocol.__name__
        self.protocols.add(Tapped)
        return Tapped
