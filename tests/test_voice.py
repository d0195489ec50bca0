"""What an actor says arrives, whatever is in it."""

from __future__ import annotations

import json
import os

import pytest

from lab.actors import voice


@pytest.mark.parametrize("text", ["hello", "안녕", "\ud800", "\x00\x1b[31m", "two\nlines", "\u2028"], ids=ascii)
def test_a_fact_is_one_line_of_json(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr(voice, "_fd", writing)
    voice.observe("received", "alice", text=text)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        lines = said.read().split(b"\n")
    assert lines[1:] == [b""]
    fact = json.loads(lines[0])
    assert (fact["what"], fact["who"], fact["text"]) == ("received", "alice", text)
