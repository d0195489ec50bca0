"""What an actor says arrives, whatever is in it; and what it notes arrives soon, in its place."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.actors import voice

TOLD, RETURNED = voice.Kind("told", ("code", "reason")), voice.Kind("returned", ("error",))

Said = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """What has been said since it was last asked."""
    with (tmp_path / "said").open("wb") as writing, (tmp_path / "said").open("rb") as reading:
        monkeypatch.setattr(voice, "_fd", writing.fileno())
        yield lambda: [json.loads(line) for line in reading.read().split(b"\n") if line]
    voice._notes.clear()


@pytest.mark.parametrize("text", ["hello", "안녕", "\ud800", "\x00\x1b[31m", "two\nlines", "\u2028"], ids=ascii)
def test_a_fact_is_one_line_of_json(text: str, said: Said) -> None:
    voice.observe("received", "alice", text=text)
    (fact,) = said()
    assert (fact["what"], fact["who"], fact["text"]) == ("received", "alice", text)


def test_what_is_noted_is_said_when_the_loop_has_been_quiet(said: Said) -> None:
    async def end() -> list[dict[str, Any]]:
        notes = voice.Notes()
        for number in range(3):
            notes.note(RETURNED, f"alice-{number}", time.monotonic(), "")
        assert said() == []
        while not (facts := said()):  # noqa: ASYNC110  # a file tells nobody that it has grown
            await asyncio.sleep(0)  # no time passes by it: the notes have a timer of their own
        return facts

    facts = asyncio.run(end())
    assert [fact["who"] for fact in facts] == ["alice-0", "alice-1", "alice-2"]
    assert facts == sorted(facts, key=lambda fact: fact["at"])


def test_what_never_stops_coming_is_said_all_the_same(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "LATEST_SECONDS", 5 * voice.QUIET_SECONDS)

    async def go_on() -> None:
        notes = voice.Notes()
        while not said():
            notes.note(RETURNED, "alice", time.monotonic(), "")
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(go_on(), 10))


def test_what_was_noted_comes_before_what_is_said_after_it(said: Said) -> None:
    async def end() -> None:
        voice.Notes().note(TOLD, "alice", time.monotonic(), 1006, "")
        voice.observe("logged", "alice", text="gone")

    asyncio.run(end())
    assert [fact["what"] for fact in said()] == ["told", "logged"]


def test_another_thread_can_say_what_was_noted_while_the_loop_stands(said: Said) -> None:
    async def stand() -> list[dict[str, Any]]:
        voice.Notes().note(TOLD, "alice", time.monotonic(), 1006, "")
        await asyncio.to_thread(voice.say_notes)
        return said()

    (fact,) = asyncio.run(stand())
    assert (fact["what"], fact["code"]) == ("told", 1006)
