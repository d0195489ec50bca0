"""What a handler dies of is told from the timeline, whichever was first: her library's word, or the client's end."""

from __future__ import annotations

import pytest

from lab.invariants.company import DiesWell
from lab.timeline import Header, Json, Observation, Timeline
from lab.verdict import Outcome


def seen(at: float, what: str, who: str = "alice-1", source: str = "server", **detail: Json) -> Observation:
    return Observation(at, source, what, who, detail)


ACCEPTED = seen(0, "accepted")
DIED = seen(10, "returned", error="ValueError")
KILLED = seen(20, "injected", "alice", "lab", seen="SIGKILL")
NO_FRAME = seen(21, "disconnected", sent=None, received=None)


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ([DIED, seen(11, "closed", source="alice", code=1006)], Outcome.VIOLATED),
        ([DIED, seen(11, "closed", source="alice", code=1011)], Outcome.HELD),
        ([DIED, KILLED, NO_FRAME], Outcome.VIOLATED),
        ([DIED, KILLED, seen(21, "disconnected", sent=1011, received=None)], Outcome.HELD),
        ([DIED, KILLED], Outcome.HELD),
        ([KILLED, seen(30, "returned", error="ValueError"), NO_FRAME], Outcome.HELD),
        ([seen(10, "returned", error=""), KILLED, NO_FRAME], Outcome.HELD),
        ([KILLED], Outcome.HELD),
    ],
    ids=["1006", "1011", "killed-first", "told-then-killed", "no-wire", "died-of-the-kill", "returned", "lives-on"],
)
def test_a_handler_that_died_of_nonsense_is_told_from_one_that_did_not(
    facts: list[Observation], outcome: Outcome
) -> None:
    timeline = Timeline(Header("check:garbage", "app", "embedded", "auto"), [ACCEPTED, *facts], sealed=True)
    assert [one.outcome for one in DiesWell("alice-1").check(timeline)] == [outcome]
