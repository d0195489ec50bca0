"""An end is noticed within its bound; what our own census took of that is not the server's."""

from __future__ import annotations

import pytest

from lab import evidence
from lab.invariants import NoticedWithin
from lab.timeline import Observation, Timeline
from lab.verdict import Outcome
from tests.test_timeline import HEADER, seen


def told(*told_at: float, censuses: tuple[tuple[float, float], ...] = ()) -> Timeline:
    """Three are killed at 1000 ms, and told so at those moments; a census is when it was done, and how long it took."""
    people = [f"alice-{number}" for number in (1, 2, 3)]
    story: list[Observation] = [seen("connected", who, 10.0, who) for who in people]
    story.append(seen("injected", "alice", 1000.0, "lab", fault="kill"))
    story += [seen("counted", "", at, took_ms=took, held=[], silent={}) for at, took in censuses]
    story += [seen("told", who, at, code=1006) for who, at in zip(people, told_at, strict=False)]
    return Timeline(HEADER, story, sealed=True)


@pytest.mark.parametrize(
    ("timeline", "outcome", "key"),
    [
        (told(1010.0, 1400.0, 1020.0), Outcome.HELD, "noticed"),
        (told(1010.0, 1501.0, 1020.0), Outcome.VIOLATED, "noticed"),
        (told(1010.0, 1020.0), Outcome.VIOLATED, "never-noticed"),
        (told(1010.0, 2400.0, 1020.0, censuses=((2399.0, 1000.0),)), Outcome.HELD, "noticed-beside-us"),
        (told(1010.0, 2400.0, 1020.0, censuses=((2399.0, 800.0),)), Outcome.VIOLATED, "noticed-beside-us"),
        (told(1010.0, 1600.0, 1020.0, censuses=((1001.0, 900.0),)), Outcome.VIOLATED, "noticed-beside-us"),
        (told(1010.0, 1600.0, 1020.0, censuses=((2600.0, 900.0),)), Outcome.VIOLATED, "noticed"),
    ],
    ids=["soon", "late", "never", "while-we-looked", "and-later", "we-had-looked-before", "we-looked-afterwards"],
)
def test_the_last_of_a_crowd_is_what_counts(timeline: Timeline, outcome: Outcome, key: str) -> None:
    (found,) = NoticedWithin("alice-*", 0.5).check(timeline)
    assert (found.outcome, found.evidence.key) == (outcome, key)


def test_where_nothing_happened_nothing_is_said() -> None:
    (found,) = NoticedWithin("alice-*", 0.5).check(Timeline(HEADER, [seen("connected", "alice-1")], sealed=True))
    assert (found.outcome, found.evidence.key) == (Outcome.UNKNOWN, "nothing-happened")


@pytest.mark.parametrize(("exits", "over"), [((), False), ((3.0,), False), ((3.0, 8.0), True)])
def test_a_process_that_was_killed_again_is_awaited_again(exits: tuple[float, ...], over: bool) -> None:
    facts = [seen("injected", at=2.0, source="lab"), seen("injected", at=7.0, source="lab")]
    run = Timeline(HEADER, [*facts, *(seen("exited", at=at, source="lab", code=-9) for at in exits)])
    assert evidence.has_exited(run, "alice") is over
