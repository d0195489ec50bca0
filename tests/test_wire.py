"""The wire: a Close frame is found in whatever websockets may send, however the stream is cut into reads."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, CloseCode, Frame, Opcode

from lab.witness.frames import FrameScanner, follow
from lab.witness.wire import Wire

REQUEST = b"GET /ws?user=alice HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
RESPONSE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

LENGTHS = (0, 1, 125, 126, 127, 128, 65_535, 65_536, 70_000)
"""Around the borders at which a frame's length takes another form (RFC 6455 §5.2)."""


def handshake(*, mask: bool) -> bytes:
    """What comes before the first frame: clients mask, servers do not."""
    return REQUEST if mask else RESPONSE


def frame(opcode: Opcode, data: bytes = b"", *, mask: bool, fin: bool = True) -> bytes:
    """A frame as websockets writes it."""
    return Frame(opcode, data, fin).serialize(mask=mask)


def close(code: int | None, reason: str = "", *, mask: bool) -> bytes:
    """A Close frame; without a code if there is none."""
    return frame(Opcode.CLOSE, b"" if code is None else Close(code, reason).serialize(), mask=mask)


def scanned(*chunks: bytes) -> int | None:
    """The Close code that a wire finds in the chunks."""
    said: list[Said] = []
    wire = Wire(Transport())
    for chunk in chunks:
        wire.hear(chunk)
    wire.lost(None, lambda kind, who, at, *values: said.append(Said(kind.what, who, kind.say(who, at, values)[3])))
    code = said[0].detail["received"]
    assert code is None or isinstance(code, int)
    return code


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    """The stream as reads that end at these places."""
    borders = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(borders)]


# One stream, whole.


@pytest.mark.parametrize("mask", [True, False], ids=["client", "server"])
@pytest.mark.parametrize("code", [code for code in CloseCode if code not in (1005, 1006, 1015)] + [3000, 4999])
@pytest.mark.parametrize("reason", ["", "bye", "작별 인사", "x" * 123])
def test_the_code_of_a_close_frame_is_found(mask: bool, code: int, reason: str) -> None:
    assert scanned(handshake(mask=mask) + close(code, reason, mask=mask)) == code


@pytest.mark.parametrize("mask", [True, False], ids=["client", "server"])
def test_a_close_frame_without_a_code_is_1005(mask: bool) -> None:
    assert scanned(handshake(mask=mask) + close(None, mask=mask)) == 1005


def test_a_close_frame_of_one_byte_has_no_code() -> None:
    assert scanned(REQUEST + frame(Opcode.CLOSE, b"\x03", mask=True)) == 1005


@pytest.mark.parametrize("mask", [True, False], ids=["client", "server"])
def test_no_close_frame_is_none(mask: bool) -> None:
    assert scanned() is None
    assert scanned(handshake(mask=mask)) is None
    assert scanned(handshake(mask=mask) + frame(Opcode.TEXT, b"\x88\x02\x03\xe8", mask=mask)) is None
    assert scanned(handshake(mask=mask) + close(1000, mask=mask)[:-1]) is None


@pytest.mark.parametrize("mask", [True, False], ids=["client", "server"])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("read", [1 << 20, 65_536, 1000])
def test_a_message_of_any_length_is_skipped(mask: bool, length: int, read: int) -> None:
    looks_like_close = (close(1000, mask=False) * (length // 4 + 1))[:length]
    stream = handshake(mask=mask) + frame(Opcode.BINARY, looks_like_close, mask=mask)
    assert scanned(*cut(stream, range(read, len(stream), read))) is None
    stream += close(4001, mask=mask)
    assert scanned(*cut(stream, range(read, len(stream), read))) == 4001


@pytest.mark.parametrize("mask", [True, False], ids=["client", "server"])
def test_control_frames_between_the_fragments_of_a_message_are_skipped(mask: bool) -> None:
    parts = [
        frame(Opcode.TEXT, b"one", mask=mask, fin=False),
        frame(Opcode.PING, b"ping", mask=mask),
        frame(Opcode.CONT, b"two" * 100, mask=mask, fin=False),
        frame(Opcode.PONG, mask=mask),
        frame(Opcode.CONT, b"", mask=mask),
        frame(Opcode.PONG, b"x" * 125, mask=mask),
    ]
    assert scanned(handshake(mask=mask), *parts) is None
    assert scanned(handshake(mask=mask), *parts, close(1001, mask=mask)) == 1001
    assert scanned(handshake(mask=mask), *parts[:3], close(1002, mask=mask)) == 1002


def test_a_compressed_message_is_a_message() -> None:
    deflate = PerMessageDeflate(
        remote_no_context_takeover=False,
        local_no_context_takeover=False,
        remote_max_window_bits=15,
        local_max_window_bits=15,
    )
    compressed = Frame(Opcode.TEXT, b"\x88\x02\x03\xe8" * 50).serialize(mask=True, extensions=[deflate])
    assert compressed[0] & 0x40  # RSV1, RFC 7692 §6
    assert scanned(REQUEST + compressed + close(1000, mask=True)) == 1000


@pytest.mark.parametrize("mask", [True, False], ids=["client", "server"])
def test_what_comes_after_a_close_frame_is_ignored(mask: bool) -> None:
    after = [close(4000, mask=mask), frame(Opcode.TEXT, b"late", mask=mask), b"\xff" * 1000, b""]
    assert scanned(handshake(mask=mask) + close(1000, mask=mask), *after) == 1000
    assert scanned(handshake(mask=mask) + close(1000, mask=mask) + b"".join(after)) == 1000


def test_bytes_like_a_close_frame_in_the_handshake_are_no_close_frame() -> None:
    sly = REQUEST.replace(b"localhost", b"\x88\x82localhost\x88\x00")
    assert scanned(sly) is None
    assert scanned(sly + close(1003, mask=True)) == 1003


@pytest.mark.parametrize("places", [range(1, 4000), [len(REQUEST)], [len(REQUEST) - 1], [len(REQUEST) - 3]], ids=str)
def test_the_handshake_ends_where_it_ends_however_it_is_read(places: Iterable[int]) -> None:
    assert scanned(*cut(REQUEST + close(1000, "bye", mask=True), places)) == 1000


# Any stream, in any pieces.


@dataclass(frozen=True)
class Sent:
    """What one end sent: some frames, perhaps a Close frame, perhaps more after it."""

    stream: bytes
    code: int | None


@st.composite
def streams(draw: st.DrawFn) -> Sent:
    """What websockets may send in one direction."""
    mask = draw(st.booleans())
    data = st.binary(max_size=200) | st.sampled_from(LENGTHS).map(bytes)
    plain = st.builds(
        lambda opcode, payload, fin: frame(opcode, payload, mask=mask, fin=fin),
        st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]),
        data,
        st.booleans(),
    )
    control = st.builds(
        lambda opcode, payload: frame(opcode, payload, mask=mask),
        st.sampled_from([Opcode.PING, Opcode.PONG]),
        st.binary(max_size=125),
    )
    stream = handshake(mask=mask) + b"".join(draw(st.lists(plain | control, max_size=6)))
    if not draw(st.booleans()):
        return Sent(stream, None)
    code = draw(st.none() | st.sampled_from([1000, 1001, 1011, 1012, 3000, 4999]))
    reason = draw(st.text(st.characters(codec="ascii"), max_size=123)) if code else ""
    stream += close(code, reason, mask=mask) + draw(st.binary(max_size=50))
    return Sent(stream, code or 1005)


@PATIENT
@given(streams(), st.lists(st.integers(0, 1000) | st.integers(0, 300_000), max_size=30))
@example(Sent(REQUEST + close(1000, mask=True), 1000), list(range(200)))
def test_it_does_not_matter_how_a_stream_is_cut_into_reads(sent: Sent, places: list[int]) -> None:
    assert scanned(sent.stream) == sent.code
    assert scanned(*cut(sent.stream, places)) == sent.code


@PATIENT
@given(streams(), st.data())
def test_a_stream_that_breaks_off_has_a_close_frame_only_if_the_whole_of_it_came(
    sent: Sent, data: st.DataObject
) -> None:
    part = sent.stream[: data.draw(st.integers(0, len(sent.stream)))]
    assert scanned(part) in (None, sent.code)


@PATIENT
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_nonsense_is_survived(chunks: list[bytes]) -> None:
    code = scanned(REQUEST, *chunks)
    assert code is None or 0 <= code <= 65_535


@PATIENT
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_nonsense_in_pieces_is_the_same_nonsense(chunks: list[bytes]) -> None:
    assert scanned(REQUEST, *chunks) == scanned(REQUEST + b"".join(chunks))


def test_a_long_message_is_not_kept() -> None:
    scanner = FrameScanner()
    message = frame(Opcode.BINARY, bytes(1 << 20), mask=True)
    for chunk in (REQUEST, *cut(message, range(1000, len(message), 1000))):
        scanner.feed(chunk)
        kept = max(
            len(value) for value in map(partial(getattr, scanner), FrameScanner.__slots__) if isinstance(value, bytes)
        )
        assert kept < 1000


def test_between_frames_nothing_is_remembered() -> None:
    message = frame(Opcode.TEXT, b"hello", mask=True)
    scanner = follow(FrameScanner(), REQUEST)
    assert scanner is None
    for chunk in (message, message + message):
        scanner = follow(scanner, chunk)
        assert scanner is None
    half = follow(None, message[:5])
    assert half is not None
    assert follow(half, message[5:]) is None
    assert follow(None, close(1000, mask=True)) is not None


# How a socket ended.


class Transport:
    """As much of a transport as a wire asks for."""

    def get_extra_info(self, _key: str) -> tuple[str, int]:
        """Its peer's address."""
        return "127.0.0.1", 40000

    def write(self, data: bytes) -> None:
        """To nobody."""


@dataclass
class Said:
    """What the witness said of a socket's end."""

    what: str
    who: str
    detail: dict[str, object]


@pytest.mark.parametrize(
    ("finished", "error", "by"),
    [
        (True, None, "fin"),
        (False, ConnectionResetError(104, "Connection reset by peer"), "rst"),
        (True, ConnectionResetError(104, "Connection reset by peer"), "rst"),
        (False, BrokenPipeError(32, "Broken pipe"), "rst"),
        (False, None, "server"),
    ],
    ids=["fin", "rst", "fin-then-rst", "send-into-rst", "server"],
)
def test_the_end_of_a_socket_says_by_whom_it_came(finished: bool, error: Exception | None, by: str) -> None:
    said: list[Said] = []
    socket = Wire(Transport())
    socket.name = "alice"
    socket.hear(REQUEST + close(1000, mask=True))
    socket.write(RESPONSE + close(None, mask=False))
    socket.finished = finished
    socket.lost(error, lambda kind, who, at, *values: said.append(Said(kind.what, who, kind.say(who, at, values)[3])))
    (one,) = said
    assert (one.what, one.who) == ("disconnected", "alice")
    silent = one.detail.pop("silent_ms")
    assert isinstance(silent, float)
    assert silent >= 0
    assert one.detail == {"by": by, "received": 1000, "sent": 1005}
    assert json.dumps(one.detail)


def test_silence_is_counted_from_the_last_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 11.0])
    monkeypatch.setattr("lab.witness.wire.now", lambda: next(clock))
    socket = Wire(Transport())
    socket.hear(b"GET")
    assert socket.silent_ms(11.25) == 250
