"""What the command line of a check makes of what it is told, and how it says no."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.check import Subject
from lab.checking import check
from lab.console import Refusal


class Told(Exception):
    """Instead of grading: what would have been."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.subject = subject


@pytest.fixture(autouse=True)
def nothing_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    def grade(subject: Subject, *_: object, **__: object) -> int:
        raise Told(subject)

    monkeypatch.setattr("lab.checking._grade", grade)
    monkeypatch.setenv("LAB_LANG", "en")


def told(*args: str) -> Subject:
    """The subject that the command line is about."""
    with pytest.raises(Told) as caught:
        check.main(["myserver:app", *args], standalone_mode=False)
    return caught.value.subject


def refused(*args: str) -> str:
    """The line that it says no with; the command makes exit code 2 of it."""
    with pytest.raises(Refusal) as caught:
        check.main(["myserver:app", *args], standalone_mode=False)
    (line,) = str(caught.value).splitlines()
    return line


def test_what_clients_say_may_be_text_bytes_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hello.json"
    file.write_text('{"hello": "{name}"}', encoding="utf-8")
    said = told("--say", f"@{file}", "--say", "hex:00ff", "--say", "text:@bob").say
    assert said == ('{"hello": "{name}"}', b"\x00\xff", "@bob")


def test_replies_are_told_one_by_one() -> None:
    assert told("--reply", "^2$=3", "--reply", r"a\=b=c=d").replies == (("^2$", "3"), ("a=b", "c=d"))
    assert told().replies == ()


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--say", "@no/such/file", "cannot read no/such/file: No such file or directory"),
        ("--say", "hex:0", "after hex: come pairs of hexadecimal digits, which 'hex:0' has not"),
        ("--reply", "ping", "a reply is PATTERN=TEXT, not 'ping'"),
        ("--reply", "(=x", "'(' is no regular expression that could be answered: missing )"),
        ("--reply", r"a=\1", "'a' is no regular expression that could be answered: it has no group 1"),
    ],
)
def test_what_cannot_be_said_is_refused_in_one_line(option: str, value: str, line: str) -> None:
    assert refused(option, value).startswith(line)
