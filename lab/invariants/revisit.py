"""What is kept under a key for those who are gone: theirs when they come back, or nobody's?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from lab import evidence
from lab.evidence import Held
from lab.invariants.claim import Claim
from lab.manners import mark
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, phrase

REVISITED = "revisited"
"""The lab had somebody come back under the name of one who was gone. What is seen from then on is another story."""


@dataclass(frozen=True, slots=True)
class KeptForReturn(Claim):
    """A queue that is kept for somebody who is gone, and written to, is the one that she gets when she comes back.

    If her next connection puts another in its place, and she is told nothing of what was in it, nobody would ever have
    read it: it is no mailbox, but a subscriber that nobody took off the list.
    """

    word: ClassVar[str] = "no-orphan"
    encore: ClassVar[bool] = True

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding, where there is such a queue for more than one."""
        lost = [held for held in kept(timeline.before(REVISITED), self.who) if _was_replaced(held, timeline)]
        if len({held.who for held in lost}) > 1:
            said = phrase("left-unread", count=len(lost))
            yield self.found(Outcome.VIOLATED, said, who=lost[0].who, kind="connection", holder=lost[0].holder)


def kept(timeline: Timeline, who: str) -> list[Held]:
    """The queues that are kept for those of a crowd who are gone, at the last census."""
    census, people = evidence.last_census(timeline), evidence.crowd(timeline, who)
    held = census.held if census else ()
    return [one for one in held if one.kind == "mailbox" and one.sure and one.who in people]


def _was_replaced(held: Held, timeline: Timeline) -> bool:
    """Whether it is no more, now that its user has come back. One that is only read, or put elsewhere, still is."""
    back, census = timeline.first(REVISITED, held.who), evidence.last_census(timeline)
    if back is None or census is None or timeline.first("connected", back.text("by")) is None:
        return False
    gone = not any(one.kind == "mailbox" and one.who == held.who for one in census.held)
    return gone and census.at > back.at and not _was_told(back, timeline)


def _was_told(back: Observation, timeline: Timeline) -> bool:
    """Whether she heard what was said while she was gone, before anybody spoke again: then it was her mailbox."""
    said = timeline.before(REVISITED).last("sent")
    word = mark(said.text("text")) if said else ""
    spoken = (seen.at for seen in timeline.select("ordered") if seen.text("do") == "say" and seen.at >= back.at)
    until = min(spoken, default=inf)
    return any(word in seen.text("text") for seen in timeline.select("received", back.text("by")) if seen.at < until)
