"""What clients say, as somebody writes it: text, bytes, a file, and answers to what the server says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lab.check.subject import filled

Said = str | bytes
"""Text, or a binary frame."""


class Unsayable(ValueError):
    """It cannot be said. The key of a sentence in `words/`, under `cli`, and what fills its gaps.

    Attributes:
        key: the sentence's.
        about: what fills its gaps.
    """

    def __init__(self, key: str, **about: str) -> None:
        super().__init__(f"{key}: {about}")
        self.key, self.about = key, about


def spoken(text: Said, folders: Sequence[Path] = (Path(),)) -> Said:
    """`hex:00ff` is a binary frame, `@file` what is in that file, `text:…` the rest as it stands, as is all else.

    Args:
        text: bytes are a binary frame, too.
        folders: where a file may be.

    Raises:
        Unsayable: these are no hexadecimal digits, or there is no such file.
    """
    if isinstance(text, bytes):
        return text
    if text.startswith("hex:"):
        try:
            return bytes.fromhex(text.removeprefix("hex:"))
        except ValueError:
            raise Unsayable("bad-hex", text=text) from None
    if text.startswith("@"):
        return _in_file(text.removeprefix("@"), folders)
    return text.removeprefix("text:")


def reply(text: str) -> tuple[str, str]:
    r"""`pattern=text` as the two: at the first `=` that is not written `\=`.

    Raises:
        Unsayable: there is no such `=`, or see answering().
    """
    found = re.match(r"((?:[^\\=]|\\.)+)=(.*)", text, re.DOTALL)
    if found is None:
        raise Unsayable("no-reply", text=text)
    return answering(found[1].replace(r"\=", "="), found[2])


def answering(pattern: str, text: str) -> tuple[str, str]:
    r"""The two, if a client can answer so.

    Raises:
        Unsayable: the pattern is none, or has no group that the text refers to as `\1`.
    """
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise Unsayable("bad-reply", text=pattern, why=str(error)) from None
    missing = [number for number in re.findall(r"\\([1-9])", text) if int(number) > groups]
    if missing:
        raise Unsayable("bad-reply", text=pattern, why=f"it has no group {missing[0]}")
    return pattern, text


def frame(said: Said) -> dict[str, str]:
    """What a client is ordered to send."""
    return {"hex": said.hex()} if isinstance(said, bytes) else {"text": filled(said)}


def _in_file(name: str, folders: Sequence[Path]) -> Said:
    found = (folder / name for folder in folders)
    try:
        data = next((path for path in found if path.exists()), Path(name)).read_bytes()
    except OSError as error:
        raise Unsayable("cannot-read", path=name, why=error.strerror or str(error)) from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
