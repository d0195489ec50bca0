"""What clients say, as somebody writes it, and what they answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.actors.saying import Answers, Dial
from lab.check.speech import Said, Unsayable, answering, frame, reply, spoken
from lab.check.subject import Subject


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("hello", "hello"),
        ("hex:00fF 10", b"\x00\xff\x10"),
        (b"\x01", b"\x01"),
        ("text:@bob", "@bob"),
        ("text:hex:00", "hex:00"),
        ("hex:", b""),
    ],
    ids=str,
)
def test_text_is_text_and_bytes_are_written_in_hex(written: Said, said: Said) -> None:
    assert spoken(written) == said


def test_a_file_is_text_if_it_is_utf_8_else_a_binary_frame(tmp_path: Path) -> None:
    (tmp_path / "hello.json").write_text('{"안녕": 1}\n', encoding="utf-8")
    (tmp_path / "frame.bin").write_bytes(b"\xff\x00")
    assert spoken(f"@{tmp_path / 'hello.json'}") == '{"안녕": 1}\n'
    assert spoken(f"@{tmp_path / 'frame.bin'}") == b"\xff\x00"
    assert spoken("@frame.bin", (tmp_path / "no", tmp_path)) == b"\xff\x00"


@pytest.mark.parametrize("written", ["hex:0", "hex:xy", "@no/such/file", "@."])
def test_what_cannot_be_said_is_refused(written: str) -> None:
    with pytest.raises(Unsayable):
        spoken(written)


@pytest.mark.parametrize(
    ("written", "pattern", "text"),
    [
        ("^2$=3", "^2$", "3"),
        (r'"id":\s*(\d+)={"id": \1, "ok": "a=b"}', r'"id":\s*(\d+)', r'{"id": \1, "ok": "a=b"}'),
        (r"a\=(?\=b)\\=x\=", r"a=(?=b)\\", r"x\="),
        ("ping=", "ping", ""),
    ],
)
def test_a_reply_is_split_at_the_first_equals_sign_that_is_not_escaped(written: str, pattern: str, text: str) -> None:
    assert reply(written) == (pattern, text)


@pytest.mark.parametrize("written", ["ping", "=x", r"a\=b", "(=x", r"(a)=\2", "*=x"])
def test_a_reply_that_cannot_be_made_is_refused(written: str) -> None:
    with pytest.raises(Unsayable) as refused:
        reply(written)
    assert refused.value.key == ("bad-reply" if written in {"(=x", r"(a)=\2", "*=x"} else "no-reply")


def test_each_pattern_that_is_found_is_answered_with_names_and_groups_filled_in() -> None:
    answers = Answers(
        [("^2$", "3"), (r'"id": (\d+)( x)?', r'{"id": \1, "by": "{user}", "no": {n}, "x": "\2\n"}')], "bob#2"
    )
    assert list(answers.to("2")) == ["3"]
    (said,) = answers.to('{"id": 17}')
    assert said.startswith('{"id": 17, "by": "bob", "no": ')
    assert said.endswith(', "x": "\\n"}')
    assert not list(answers.to("22"))


def test_what_the_server_said_is_not_taken_for_a_gap() -> None:
    assert list(Answers([("(.+)", r"\1")], "bob").to("{user} {n}")) == ["{user} {n}"]


def test_a_host_header_is_the_url_s_and_is_said_once() -> None:
    dial = Dial.of("ws://127.0.0.1:1234/ws/{user}?n={n}", (("HOST", "{user}.example.org"), ("X", "{user}")), "bob#2")
    assert (dial.host, dial.port, dial.headers) == ("127.0.0.1", 1234, (("X", "bob"),))
    assert dial.url.startswith("ws://bob.example.org/ws/bob?n=")
    assert Dial.of("ws://127.0.0.1:1234//ws", (), "bob").url == "ws://127.0.0.1:1234//ws"


def test_a_binary_frame_is_ordered_as_one_and_has_no_place_for_a_long_text() -> None:
    assert frame(b"\x00\xff") == {"hex": "00ff"}
    assert frame("{name}{pad}{n}") == {"text": "{user}{n}"}
    subject = Subject(say=("hello", b"\x00"))
    assert (subject.opening, subject.talk, subject.big(10)) == (("hello", b"\x00"), b"\x00", None)


def test_a_pattern_and_its_text_may_come_as_a_pair() -> None:
    assert answering("a=(b)", r"\1") == ("a=(b)", r"\1")
