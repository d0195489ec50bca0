"""Claims about the company of a dying client: those who must still be served, and those who are told to go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from lab import evidence
from lab.evidence import NO_GOODBYE
from lab.invariants.claim import Claim, code_of
from lab.invariants.lost import crashed, frozen, seen_inside
from lab.invariants.noise import GOODBYES
from lab.manners import Manners
from lab.steps import actor_of
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, Phrase, phrase

ANSWER_MS = 3000.0
"""How long an answer may take before it counts as none."""


@dataclass(frozen=True, slots=True)
class Served(Claim):
    """A bystander is still served, as the server's manners would have it."""

    word: ClassVar[str] = "still-served"

    @property
    def bound_ms(self) -> float:
        """What an answer may take."""
        return ANSWER_MS

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        stuck, manners = frozen(timeline), Manners.of(timeline) or Manners()
        if stuck is not None:
            yield self.found(
                Outcome.VIOLATED, phrase("frozen", where=stuck.text("where"), ms=stuck.number("ms") or 0.0)
            )
        elif (over := crashed(timeline)) is not None:
            yield self.found(Outcome.VIOLATED, phrase("crashed", code=code_of(over), ms=over.at))
        elif timeline.first("connected", self.who) is None:
            yield self._absent(timeline)
        elif (closed := timeline.first("closed", self.who)) is not None:
            yield self._closed(closed, timeline)
        else:
            yield from self._heard(timeline, manners)

    def _absent(self, timeline: Timeline) -> Finding:
        """Whom the server refuses it need not serve: one session a user, so many an address."""
        refused = timeline.first("refused", self.who)
        if refused is None or refused.text("error") == "TimeoutError":
            return self.found(Outcome.VIOLATED, phrase("not-connected"))
        outcome = Outcome.HELD if "#" in self.who else Outcome.UNKNOWN
        return self.found(outcome, phrase("turned-away", why=refused.text("text")))

    def _closed(self, closed: Observation, timeline: Timeline) -> Finding:
        """A server may have its own reasons to hang up: it says so with a code. Else the bystander was let down."""
        code, began = closed.code(), _began(timeline)
        if code in (1000, 1001, 1008, 1013) or (code is not None and 3000 <= code < 5000):
            if "#" in self.who and closed.at <= began:
                return self.found(Outcome.HELD, phrase("turned-away", why=f"{code} {closed.text('reason')}"))
            return self.found(Outcome.UNKNOWN, phrase("hung-up", code=code_of(closed), ms=closed.at))
        if code == 1011 and "ping" in closed.text("reason"):  # at 20 s and 20 s it would not have been
            return self.found(Outcome.UNKNOWN, phrase("hung-up", code=code_of(closed), ms=closed.at))
        return self.found(Outcome.VIOLATED, phrase("bystander-closed", code=code_of(closed), ms=closed.at))

    def _heard(self, timeline: Timeline, manners: Manners) -> Iterator[Finding]:
        if manners.streams:
            since = _asked(timeline, "listen", self.who)
            if any(seen.at >= since for seen in timeline.select("received", self.who)):
                yield self.found(Outcome.HELD, phrase("streamed"))
            else:
                yield self.found(Outcome.VIOLATED, phrase("fell-silent", ms=manners.period_ms))
            return
        came = timeline.first("connected", self.who)
        since = max(_began(timeline), came.at if came else 0.0)
        asked = [seen for seen in timeline.select("ordered") if seen.text("do") in ("say", "ask") and seen.at >= since]
        due = [
            seen
            for seen in asked
            if (seen.who == self.who and manners.answers) or (seen.who != self.who and manners.relays)
        ]
        missed = [seen for seen in due if not _received(timeline, self.who, seen)]
        if missed:
            first = missed[0]
            said = phrase("no-answer", ms=first.at)
            if first.who != self.who:
                said = phrase("not-relayed", ms=first.at, speaker=first.who)
            yield self.found(Outcome.VIOLATED, said)
        elif due:
            yield self.found(Outcome.HELD, phrase("served-manners", count=len(due)))
        else:
            yield self.found(Outcome.HELD, phrase("open-only"))


@dataclass(frozen=True, slots=True)
class DiesWell(Claim):
    """Nonsense is answered, refused or closed with a code; it is not what a handler dies of."""

    word: ClassVar[str] = "closed-with"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding; none where nobody looks inside."""
        if not seen_inside(timeline):
            return
        returned = timeline.first("returned", self.who)
        error = returned.text("error") if returned else ""
        if error not in (*GOODBYES, "WebSocketDisconnect") and self._saw_no_goodbye(timeline):
            yield self.found(Outcome.VIOLATED, self._died(timeline, error, returned))
        else:
            yield self.found(Outcome.HELD, phrase("survived"))

    def _died(self, timeline: Timeline, error: str, returned: Observation | None) -> Phrase:
        """What was sent, what its handler died of, and where."""
        sent = next((seen for seen in timeline.select("ordered", self.who) if seen.text("do") == "send"), None)
        said = returned.text("said") if returned else ""
        place = returned.text("at_line") if returned else ""
        if sent is None or not place:
            return phrase("died-of", error=said or error)
        if sent.text("text"):
            return phrase("died-of-text", sent=sent.text("text"), error=said, place=place)
        return phrase("died-of-binary", error=said, place=place)

    def _saw_no_goodbye(self, timeline: Timeline) -> bool:
        """Her library says 1006; or, if she was killed before it could, there was no Close frame for her by then."""
        closed, wire = timeline.first("closed", self.who), timeline.first("disconnected", self.who)
        if closed is not None:
            return closed.code() == NO_GOODBYE
        returned, killed = timeline.first("returned", self.who), timeline.first("injected", actor_of(self.who))
        was_first = returned is not None and killed is not None and returned.at < killed.at
        return was_first and wire is not None and wire.code("sent") is None


@dataclass(frozen=True, slots=True)
class Readmitted(Claim):
    """As many as came in before they all died come in again: places that were not given back refuse them."""

    word: ClassVar[str] = "still-served"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        first = evidence.crowd(timeline, self.who)
        back = [seen.who for seen in timeline.select("connected") if evidence.matches(seen.who, f"{self.who}#2")]
        refused = next(iter(timeline.select("refused")), None)
        if not first:
            yield self.found(Outcome.UNKNOWN, phrase("nothing-happened"))
        elif len(set(back)) >= len(first):
            yield self.found(Outcome.HELD, phrase("readmitted", count=len(first)))
        else:
            why = refused.text("text") if refused else ""
            yield self.found(Outcome.VIOLATED, phrase("not-readmitted", count=len(first), back=len(set(back)), why=why))


@dataclass(frozen=True, slots=True)
class ToldToGo(Claim):
    """At a shutdown every client got a Close frame, and every handler came back before the process was gone."""

    word: ClassVar[str] = "closed-with"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        people = [who for who in evidence.crowd(timeline, self.who) if timeline.first("connected", who)]
        codes = {who: seen.code() for who in people if (seen := timeline.first("closed", who)) is not None}
        silent = [who for who in people if codes.get(who) in (None, 1006)]
        if not people:
            yield self.found(Outcome.UNKNOWN, phrase("nothing-happened"))
        elif silent:
            yield self.found(Outcome.VIOLATED, phrase("no-close-frame"), who=silent[0])
        else:
            yield self.found(Outcome.HELD, phrase("told-to-go", code=codes[people[0]] or 0))


def _began(timeline: Timeline) -> float:
    """When the first thing happened that is no ordinary conversation."""
    orders = [seen.at for seen in timeline.select("ordered") if seen.text("do") in ("leave", "send", "flood")]
    return min((*orders, *(seen.at for seen in timeline.select("injected"))), default=0.0)


def _asked(timeline: Timeline, do: str, who: str) -> float:
    last = [seen.at for seen in timeline.select("ordered", who) if seen.text("do") == do]
    return last[-1] if last else 0.0


def _received(timeline: Timeline, who: str, asked: Observation) -> bool:
    """Whether something came to her in time; after an `ask`, before the next one: that would be another's."""
    asks = (seen.at for seen in timeline.select("ordered") if asked.text("do") == seen.text("do") == "ask")
    until = min((at for at in asks if at > asked.at), default=float("inf"))
    return any(0 <= seen.at - asked.at <= ANSWER_MS and seen.at < until for seen in timeline.select("received", who))
