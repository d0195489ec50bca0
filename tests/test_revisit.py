"""Whoever comes back: is what was kept under her name hers, and is what happens then another story?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from lab.invariants import Claim
from lab.invariants.revisit import REVISITED, KeptForReturn
from lab.judge import findings
from lab.scenario import Scenario
from lab.timeline import Header, Json, Observation, Timeline
from lab.verdict import Finding, Outcome, phrase
from tests.test_timeline import seen

PEOPLE = ("alice-1", "alice-2", "alice-3")


def mailbox(who: str, *, sure: bool = True, place: str = "bus.inboxes") -> list[Json]:
    """A queue in a census."""
    return ["mailbox", who, "Queue", f"{place}[{who!r}]", -1.0, False, sure, False]


def census(at: float, *held: list[Json]) -> Observation:
    return seen("counted", "", at, held=list(held), silent={}, error="")


def story(
    before: Observation,
    after: Observation | None,
    *,
    back: tuple[str, ...] = PEOPLE,
    let_in: bool = True,
    heard: str = "welcome",
    heard_at: float = 22.0,
) -> Timeline:
    """Three left, and some came back, heard something, and spoke at 25 ms."""
    told: list[Observation] = [seen("connected", who, 1.0, who) for who in PEOPLE]
    told += [seen("accepted", who, 1.0) for who in PEOPLE]
    told += [seen("sent", "bob", 5.0, "bob", text="hello from hangup"), before]
    for number, who in enumerate(back, start=2):
        told.append(seen(REVISITED, who, 20.0, "lab", by=f"bob#{number}"))
        told.append(seen("connected" if let_in else "refused", f"bob#{number}", 21.0, "bob"))
        told.append(seen("received", f"bob#{number}", heard_at, "bob", text=f"somebody: {heard}"))
    told.append(seen("ordered", "bob#2", 25.0, "lab", do="say"))
    if after is not None:
        told.append(after)
    return Timeline(Header("check:close", "feed:app", "embedded", "auto"), told, sealed=True)


KEPT = census(10.0, *map(mailbox, PEOPLE))


@pytest.mark.parametrize(
    "timeline",
    [story(KEPT, census(30.0)), story(KEPT, census(30.0), heard="hello from hangup", heard_at=26.0)],
    ids=["silent", "an-echo"],
)
def test_a_queue_that_gives_way_to_another_when_its_user_comes_back_was_nobodys_mailbox(timeline: Timeline) -> None:
    (found,) = KeptForReturn("alice-*").check(timeline)
    assert (found.outcome, found.claim, found.kind) == (Outcome.VIOLATED, "no-orphan", "connection")
    assert (found.who, found.holder, found.evidence) == (
        "alice-1",
        "bus.inboxes['alice-1']",
        phrase("left-unread", count=3),
    )


@pytest.mark.parametrize(
    "timeline",
    [
        story(KEPT, census(30.0, *map(mailbox, PEOPLE))),
        story(KEPT, census(30.0, *(mailbox(who, sure=False, place="bus.spare") for who in PEOPLE))),
        story(KEPT, census(30.0), let_in=False),
        story(KEPT, census(30.0), back=()),
        story(KEPT, None),
        story(KEPT, census(30.0), heard="hello from hangup"),
        story(census(10.0, *(mailbox(who, sure=False) for who in PEOPLE)), census(30.0)),
        story(census(10.0, mailbox("alice-1")), census(30.0)),
        story(census(10.0, mailbox("bob"), mailbox("carol")), census(30.0)),
    ],
    ids=[
        "kept",
        "put-elsewhere",
        "not-let-in",
        "nobody-came",
        "nobody-counted",
        "was-told",
        "was-read",
        "one-only",
        "the-living",
    ],
)
def test_nobody_is_accused_of_anything_else(timeline: Timeline) -> None:
    assert list(KeptForReturn("alice-*").check(timeline)) == []


@dataclass(frozen=True, slots=True)
class Listening(Claim):
    """Claims nothing; it only remembers what it was told."""

    heard: list[str] = field(default_factory=list)

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        self.heard.extend(one.what for one in timeline)
        return iter(())


class ListeningToAll(Listening):
    encore = True


def test_what_happens_when_somebody_comes_back_is_no_part_of_the_other_claims_story() -> None:
    part, whole, timeline = Listening("alice-*"), ListeningToAll("alice-*"), story(KEPT, census(30.0))
    findings(Scenario("close", (), (), 1.0, (part, whole), ""), timeline)
    assert whole.heard == [one.what for one in timeline]
    assert part.heard == ["connected"] * 3 + ["accepted"] * 3 + ["sent", "counted"]
