"""The claim that an ordinary end makes no noise: no exception escapes, and none is logged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from lab import evidence
from lab.faults import SERVER
from lab.invariants.claim import Claim
from lab.invariants.lost import seen_inside
from lab.phases import CONTROLS, PHASED
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, phrase

GOODBYES = ("", "CancelledError", "ClientDisconnected", "GeneratorExit")
"""How a handler may end; uvicorn itself catches its own ClientDisconnected, and says nothing."""


@dataclass(frozen=True, slots=True)
class Quiet(Claim):
    """An ordinary end raises nothing out of the handler, and nothing that only the log sees.

    What is logged in nobody's name counts only if nothing like it was logged before the end, or while nobody died.
    """

    word: ClassVar[str] = "no-noise"
    encore: ClassVar[bool] = True

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding; none where nobody looks inside."""
        if not seen_inside(timeline):
            return
        story = timeline.before(PHASED)
        people = evidence.crowd(story, self.who)
        loud = [seen for who in people for seen in story.select("returned", who) if seen.text("error") not in GOODBYES]
        noise = noises(timeline, people)
        few = min(2, len(people))
        if loud and len(loud) >= few:
            said = phrase("escaped", error=loud[0].text("error"), count=len(loud), people=len(people))
            yield self.found(Outcome.VIOLATED, said, who=loud[0].who)
        elif noise and len(noise) >= few:
            place = noise[0].text("place")
            said = phrase("noise", text=noise[0].text("error"), ms=noise[0].at)
            if place:
                said = phrase("noise-at", text=noise[0].text("error"), place=place, line=noise[0].text("text"))
            yield self.found(Outcome.VIOLATED, said, who=noise[0].who)
        else:
            yield self.found(Outcome.HELD, phrase("quiet"))


def noises(timeline: Timeline, people: tuple[str, ...]) -> list[Observation]:
    """The errors in the log that the end of these caused."""
    start = min((began.at for who in people if (began := evidence.started(timeline, who)) is not None), default=0.0)
    phased = [seen.at for seen in timeline.select(PHASED)]
    logged = [seen for seen in timeline.select("logged", source=SERVER) if seen.text("error")]
    first = phased[0] if phased else float("inf")
    during = [seen for seen in logged if start <= seen.at <= first]
    usual = {_like(seen) for seen in logged if seen.at < start or any(a < seen.at <= b for a, b in _controls(timeline))}
    return [seen for seen in during if seen.who in people or _like(seen) not in usual]


def _controls(timeline: Timeline) -> Iterator[tuple[float, float]]:
    """From when to when nobody died."""
    before = 0.0
    for seen in timeline.select(PHASED):
        if seen.text("phase") in CONTROLS:
            yield before, seen.at
        before = seen.at


def _like(seen: Observation) -> tuple[str, str, str]:
    """What tells one line of a log from another, numbers apart."""
    return seen.text("logger"), seen.text("place"), re.sub(r"\d+", "#", seen.text("error"))
