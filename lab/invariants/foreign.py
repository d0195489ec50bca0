"""Claims about a server of which nothing is known but its manners: that it notices, and that its counter is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from lab import evidence
from lab.faults import SERVER
from lab.invariants.claim import Claim
from lab.invariants.ends import NoticedWithin
from lab.invariants.lost import is_lost, seen_inside
from lab.timeline import Timeline
from lab.verdict import Finding, Outcome, phrase

FOREIGN = "-"
"""The flavour of a server that nobody looks inside."""

LEGACY_SECONDS = 10.0
"""How much longer uvicorn's deprecated implementation takes to let go of a peer (measured)."""

SLEEP_MS = 40_000.0
"""How long a server may sleep that notices when it wakes: as long as uvicorn's own pings would take to find an end."""


@dataclass(frozen=True, slots=True)
class Noticed(NoticedWithin):
    """As NoticedWithin, in the server's time. A server that slept, and noticed when it woke, has a timer of its own."""

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding; none where nobody looks inside."""
        if not seen_inside(timeline):
            return
        if _was_never_idle(timeline):
            yield self.found(Outcome.HELD, phrase("never-idle"))
            return
        legacy = LEGACY_SECONDS if timeline.header.flavour == "websockets" else 0.0
        found = next(NoticedWithin.check(replace(self, seconds=self.seconds + legacy), timeline))
        times = [evidence.noticed(timeline, who) for who in evidence.crowd(timeline, self.who)]
        seen = [one.at for one in times if one is not None]
        woke = bool(seen) and len(seen) == len(times) and evidence.moved_ms(timeline, max(seen)) > 0
        start = evidence.started(timeline, self.who if "*" not in self.who else evidence.crowd(timeline, self.who)[0])
        late = max((evidence.noticed_ms(timeline, who) or 0.0 for who in evidence.crowd(timeline, self.who)), default=0)
        if found.outcome is Outcome.VIOLATED and woke and start is not None and late <= SLEEP_MS:
            found = replace(found, outcome=Outcome.HELD, evidence=phrase("on-its-timer"))
        yield found


def _was_never_idle(timeline: Timeline) -> bool:
    """Whether a flow was to be forgotten for its silence, and was not: the server spoke on it, and nobody died."""
    idled = any(seen.text("fault") == "idle" for seen in timeline.select("injected"))
    return idled and timeline.first("forgotten") is None


@dataclass(frozen=True, slots=True)
class CounterTrue(Claim):
    """Where the log says `active connections: N`, N is what is open whenever all is quiet, and never below zero.

    Attributes:
        at_last: only at the end; where more connect than a server may want to have, it need not count them all.
    """

    who: str = SERVER
    at_last: bool = False
    word: ClassVar[str] = "counter-is-true"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding; none where there is no such line."""
        lines = evidence.counter_lines(timeline)
        if not lines or is_lost(timeline):
            return
        negative = next((count for _, count in lines if count < 0), None)
        if negative is not None:
            yield self.found(Outcome.VIOLATED, phrase("counter-negative", count=negative))
            return
        settled = list(timeline.select("settled", source="lab"))
        for quiet in settled[-1:] if self.at_last else settled:
            said = [count for seen, count in lines if seen.at <= quiet.at]
            want, least = (int(quiet.number(key) or 0) for key in ("open", "alive"))
            if said and not least <= said[-1] <= want:
                yield self.found(Outcome.VIOLATED, phrase("counter-wrong", count=said[-1], open=want))
                return
        yield self.found(Outcome.HELD, phrase("counter-right", count=lines[-1][1]))
