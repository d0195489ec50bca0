"""Whether a server was spoken to in a way that it takes: judged from what was seen, and nothing else."""

from __future__ import annotations

import pytest

from lab.manners import Manners, learn
from lab.rejection import rejection, says_no
from lab.timeline import Header, Json, Observation, Timeline

HEADER = Header("check:meeting", "x", "embedded", "auto")


def seen(at: float, what: str, **detail: Json) -> Observation:
    return Observation(at, "lab" if what == "ordered" else "carol", what, "carol", detail)


ACCEPTED, SAY, SENT, DELIVERED = (
    seen(1, "accepted"),
    seen(10, "ordered", do="say"),
    seen(11, "sent"),
    seen(12, "delivered"),
)
ERROR = '{"type": "error", "why": "log in"}'
DIED = seen(14, "returned", error="KeyError", said="KeyError('x')", at_line="a.py:1")
SPOKEN = (ACCEPTED, SAY, SENT, DELIVERED)
PINGED_OUT = seen(900, "closed", code=1011, reason="keepalive ping timeout")


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (SPOKEN, ""),
        ((*SPOKEN, seen(13, "received", text="hello from hangup")), ""),
        ((*SPOKEN, seen(13, "received", text=ERROR)), ERROR),
        ((*SPOKEN, seen(13, "closed", code=4401, reason="log in")), "4401 log in"),
        ((*SPOKEN, seen(13, "closed", code=1000, reason="")), "1000"),
        ((*SPOKEN, seen(13, "closed", code=1006), DIED), "KeyError('x') at a.py:1"),
        ((seen(5, "received", text="error"), *SPOKEN, seen(13, "received", text="error")), ""),
        ((ACCEPTED, SAY, SENT), ""),
        ((ACCEPTED, SAY, SENT, PINGED_OUT), ""),
        ((ACCEPTED, seen(5, "closed", code=1000), SAY, seen(11, "failed")), "1000"),
        ((ACCEPTED, SAY, seen(11, "failed")), "nothing could be said"),
        ((SAY, SENT), ""),
        ((SAY, SENT, seen(13, "closed", code=1008, reason="")), "1008"),
    ],
    ids=[
        "silent", "echo", "error", "hung-up", "bye", "died", "says-so-anyway", "feed", "feed-that-pings", "over-before",
        "failed", "outside", "outside-hung-up",
    ],
)  # fmt: skip
def test_what_a_server_did_instead_of_taking_it(facts: tuple[Observation, ...], why: str) -> None:
    timeline = Timeline(HEADER, facts)
    assert rejection(timeline, "carol") == why
    manners = learn(timeline, "/ws", "hello", "carol", "bob")
    assert (manners.rejection, manners.spoken_to) == (why, not why)


@pytest.mark.parametrize("why", ["", "4401"])
def test_manners_that_were_recorded_say_so_too(why: str) -> None:
    timeline = Timeline(HEADER)
    Manners(rejection=why).record(timeline)
    found = Manners.of(Timeline.from_jsonl(timeline.to_jsonl()))
    assert found
    assert found.spoken_to is not bool(why)


@pytest.mark.parametrize(
    "answer",
    [
        '{"type": "error"}', '{"type": "connection_error"}', '{"event": "auth.denied"}', '{"error": {"code": 1}}',
        '{"errors": ["x"]}', '{"ok": false}', '{"success": false, "x": 1}', '{"status": "Unauthorized"}', '"error: x"',
        "Error: no such command", "ERROR", "invalid JSON", "Please log in", "[denied]", "오류: 로그인하세요",
    ],
)  # fmt: skip
def test_an_answer_that_says_no_is_an_error(answer: str) -> None:
    assert says_no(answer)


@pytest.mark.parametrize(
    "answer",
    [
        '{"type": "echo", "text": "error"}', '{"error": null, "result": 1}', '{"errors": []}', '{"ok": true}', "[1, 2]",
        "17", "null", '{"type": "terror"}', "hello", "you said: error", "erroneous", "logging", '{"id": 1, "ok": 0}',
    ],
)  # fmt: skip
def test_any_other_answer_is_no_error(answer: str) -> None:
    assert not says_no(answer)
