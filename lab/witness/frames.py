"""WebSocket frames, as far as the wire must know them: where each ends, and the code of a Close frame."""

from __future__ import annotations

CLOSE, PING, PONG = 0x8, 0x9, 0xA  # RFC 6455 §5.2
NO_CODE = 1005  # RFC 6455 §7.4.1: a Close frame without a code
PINGED = bytes((0x80 | PING,))
"""How a ping begins; a server writes it by itself."""


class FrameScanner:
    """Finds the Close frame in one direction of a WebSocket's bytes, handshake included.

    It follows frame lengths (RFC 6455 §5.2) and looks at nothing else, so that compression, fragmentation
    and the application's data are all the same to it.

    Args:
        shaken: whether the handshake is over.

    Attributes:
        close: the code of the first Close frame; 1005 if it had none; None if there was no such frame.
        pongs: how many Pong frames there were.
    """

    __slots__ = ("_buffer", "_shaken", "_skip", "close", "pongs")

    def __init__(self, *, shaken: bool = False) -> None:
        self.close: int | None = None
        self.pongs = 0
        self._buffer = b""
        self._skip = 0
        self._shaken = shaken

    @property
    def between_frames(self) -> bool:
        """Whether the next byte begins a frame, and there was no Close frame: nothing need be remembered."""
        return self._shaken and not self._buffer and not self._skip and self.close is None

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
        self.pongs += buffer[0] & 0x0F == PONG
        self._skip = max(0, body + length - len(buffer))
        self._buffer = buffer[body + length :]
        return bool(self._buffer)


def _code(payload: bytes, mask: bytes) -> int:
    if len(payload) < 2:
        return NO_CODE
    plain = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload[:2])) if mask else payload[:2]
    return int.from_bytes(plain, "big")


def follow(scanner: FrameScanner | None, data: bytes) -> FrameScanner | None:
    """The scanner of a stream after the next bytes; None between frames, where it is nearly always."""
    if scanner is None:
        scanner = FrameScanner(shaken=True)
    scanner.feed(data)
    return None if scanner.between_frames else scanner


def is_one_small_frame(data: bytes) -> bool:
    """Whether it is what nearly every read and write is, and no control frame: then nothing is to be done."""
    if len(data) < 2 or data[0] & 0x0F >= CLOSE:
        return False
    length = data[1]
    return len(data) == (length + 2 if length < 0x7E else length - 0x80 + 6 if 0x80 <= length < 0xFE else -1)
