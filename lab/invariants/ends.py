"""Claims about the end of a connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from lab import evidence
from lab.dialect import KINDS
from lab.evidence import Census, Held
from lab.invariants.claim import Claim, code_of, had
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, phrase


@dataclass(frozen=True, slots=True)
class NoGoodbye(Claim):
    """The application was told of an end for which no Close frame gave a reason.

    RFC 6455 §7.1.5 calls that 1006. uvicorn's default says 1005 (measured), so on flavours other than
    ours either code counts.
    """

    word: ClassVar[str] = "no-goodbye"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding, or the first few bad ones of a crowd."""
        allowed = {1006} if timeline.header.flavour == "rfc6455" else {1005, 1006}
        return self.for_each(timeline, lambda who: self._one(timeline, who, allowed))

    def _one(self, timeline: Timeline, who: str, allowed: set[int]) -> Finding:
        told = timeline.first("told", who)
        if told is None:
            return self.found(Outcome.VIOLATED, phrase("never-told"), who=who)
        outcome = Outcome.HELD if told.code() in allowed else Outcome.VIOLATED
        return self.found(outcome, phrase("told", code=code_of(told), ms=told.at), who=who)


@dataclass(frozen=True, slots=True)
class ClosedWith(Claim):
    """The connection ended with this code.

    Attributes:
        at: whose word counts: the `app`'s or the `client`'s.
        reason: the Close frame's reason, if it matters.
    """

    code: int
    at: str = "app"
    reason: str | None = None
    word: ClassVar[str] = "closed-with"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding, or the first few bad ones of a crowd."""
        return self.for_each(timeline, lambda who: self._one(timeline, who))

    def _one(self, timeline: Timeline, who: str) -> Finding:
        said = timeline.first("told" if self.at == "app" else "closed", who)
        if said is None:
            return self.found(Outcome.VIOLATED, phrase("never-closed", where=self.at, want=self.code), who=who)
        held = said.code() == self.code and self.reason in (None, said.text("reason"))
        words = phrase("closed", where=self.at, code=code_of(said), reason=said.text("reason"), want=self.code)
        return self.found(Outcome.HELD if held else Outcome.VIOLATED, words, who=who)


@dataclass(frozen=True, slots=True)
class NoticedWithin(Claim):
    """The application learned of the end within the bound that the fault allows.

    Attributes:
        seconds: the bound, from the fault's first moment.
    """

    seconds: float
    word: ClassVar[str] = "noticed-within"

    @property
    def bound_ms(self) -> float:
        """The bound."""
        return self.seconds * 1000

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding: for a crowd, on whoever was noticed last."""
        bound = self.seconds * 1000
        times = {who: evidence.noticed_ms(timeline, who) for who in evidence.crowd(timeline, self.who)}
        worst = max(times, key=lambda who: times[who] or 0.0, default="")
        start, last = evidence.started(timeline, worst), times.get(worst)
        if start is None:
            yield self.found(Outcome.UNKNOWN, phrase("nothing-happened"))
        elif last is None or None in times.values():
            yield self.found(Outcome.VIOLATED, phrase("never-noticed", bound=bound))
        elif last > bound and (ours := evidence.looked_ms(timeline, start.at, start.at + last)):
            held = last - ours <= bound
            said = phrase("noticed-beside-us", ms=last, ours=ours, bound=bound)
            yield self.found(Outcome.HELD if held else Outcome.VIOLATED, said)
        else:
            yield self.found(
                Outcome.HELD if last <= bound else Outcome.VIOLATED, phrase("noticed", ms=last, bound=bound)
            )


@dataclass(frozen=True, slots=True)
class NoOrphan(Claim):
    """Nothing that the server made for the connection is left in the last census.

    A kind that was never seen before cannot be missed after: that is unknown, not held.

    Attributes:
        kinds: what to look for.
        reaped: the row was the reaper's to close, because the server itself was killed.
    """

    kinds: tuple[str, ...] = KINDS
    reaped: bool = False
    word: ClassVar[str] = "no-orphan"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding a kind."""
        taken = list(evidence.censuses(timeline))
        for kind in self.kinds:
            yield self._kind(kind, taken, timeline)

    def _kind(self, kind: str, taken: list[Census], timeline: Timeline) -> Finding:
        if not taken or evidence.last_census(timeline) is None:
            return self.found(Outcome.UNKNOWN, phrase("no-census"), kind=kind)
        last = taken[-1]
        if last.error:
            return self.found(Outcome.UNKNOWN, phrase("census-failed", error=last.error), kind=kind)
        if not any(had(census, kind, self.who) for census in taken[:-1]):
            return self.found(Outcome.UNKNOWN, phrase("never-there", kind=kind), kind=kind)
        left = last.of(self.who, kind)
        if left:
            return self._left(kind, left, last.at)
        if kind == "row" and not self.reaped and (late := _reaped(timeline, self.who)):
            return self.found(Outcome.VIOLATED, phrase("reaped", ms=late.at), kind=kind)
        return self.found(Outcome.HELD, phrase("gone", kind=kind), kind=kind)

    def _left(self, kind: str, left: tuple[Held, ...], at: float) -> Finding:
        """What no path was found to is a doubt."""
        first = next((one for one in left if one.sure), None)
        if first is None:
            return self.found(Outcome.UNKNOWN, phrase("held-by-nobody", count=len(left)), kind=kind)
        said = phrase("left", kind=kind, count=len(left), evidence=first.evidence, ms=at)
        return self.found(Outcome.VIOLATED, said, kind=kind, holder=first.holder)


@dataclass(frozen=True, slots=True)
class CleanedOnce(Claim):
    """The counter went down exactly once for the connection, and its handler came back."""

    word: ClassVar[str] = "cleaned-once"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding, or the first few bad ones of a crowd."""
        lines = Counter(seen.who for seen, _ in evidence.counter_lines(timeline))
        return self.for_each(timeline, lambda who: self._one(timeline, who, lines[who]))

    def _one(self, timeline: Timeline, who: str, lines: int) -> Finding:
        if timeline.first("returned", who) is None:
            return self.found(Outcome.VIOLATED, phrase("never-returned"), who=who)
        if not lines:
            return self.found(Outcome.UNKNOWN, phrase("no-counter"), who=who)
        times = lines - 1  # the first line is the connect
        outcome = Outcome.HELD if times == 1 else Outcome.VIOLATED
        return self.found(outcome, phrase("cleaned", times=times), who=who)


def _reaped(timeline: Timeline, who: str) -> Observation | None:
    mark = f"reaped: a row of {evidence.user_of(who)} "
    return next((seen for seen in timeline.select("logged") if seen.text("text").startswith(mark)), None)
