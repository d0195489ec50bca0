"""Claims about a server of which nothing is known but its manners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from lab import evidence
from lab.evidence import Census, Held
from lab.faults import SERVER
from lab.invariants.claim import Claim
from lab.invariants.ends import NoticedWithin
from lab.invariants.lost import crashed, is_lost, seen_inside
from lab.manners import Manners
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, phrase

FOREIGN = "-"
"""The flavour of a server that nobody looks inside."""

LEGACY_SECONDS = 10.0
"""How much longer uvicorn's deprecated implementation takes to let go of a peer (measured)."""

SOON_MS = 40_000.0
"""How long a timer may hold a dead connection: as long as uvicorn's own pings would take to find its end."""

GOODBYES = ("", "CancelledError", "ClientDisconnected", "GeneratorExit")
"""How a handler may end; uvicorn itself catches its own ClientDisconnected, and says nothing."""


@dataclass(frozen=True, slots=True)
class LeavesNothing(Claim):
    """Of connections that have ended, nothing is left that grows with their number.

    What is left of one of three is no orphan: a cache of one, a service that the first one started. What a timer ends
    is only late. What lives though no path to it was found is a doubt.

    Attributes:
        stopped: the server is gone, and only its rows can be left.
        kinds: what to look for inside.
        rows: count rows too. Not where others come after the subject: nobody knows how many rows theirs are.
    """

    stopped: bool = False
    rows: bool = True
    kinds: tuple[str, ...] = ("connection", "handler", "task")
    word: ClassVar[str] = "no-orphan"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding a kind of which anything is known."""
        people = [who for who in evidence.crowd(timeline, self.who) if timeline.first("connected", who)]
        if not people:
            yield self.found(Outcome.UNKNOWN, phrase("nothing-happened"))
            return
        if not self.stopped and seen_inside(timeline):
            census = evidence.last_census(timeline)
            if census is None:
                yield self.found(Outcome.UNKNOWN, phrase("no-census"))
            else:
                for kind in self.kinds:
                    yield self._kind(kind, people, census)
        crowd = tuple(people)
        if not self.stopped and not is_lost(timeline):
            others = sum(1 for _ in timeline.select("connected")) - len(people)
            yield from self._surplus(timeline, "socket", "sockets", crowd, others)
        if self.rows and crashed(timeline) is None:
            yield from self._surplus(timeline, "row", "rows", crowd, None)

    def _kind(self, kind: str, people: list[str], census: Census) -> Finding:
        of_them = [held for held in census.held if held.kind == kind and held.who in people]
        if kind != "handler":  # while its handler runs, that is what is wrong
            busy = {held.who for held in census.held if held.kind == "handler"}
            of_them = [held for held in of_them if held.who not in busy]
        left = [held for held in of_them if not _late(held)]
        sure = [held for held in left if held.sure]
        if grows := _grows(sure, len(people)):
            return self._left(kind, grows, len(people), census.at)
        if len(left) > len(sure) and _grows(left, len(people)):
            return self.found(Outcome.UNKNOWN, phrase("held-by-nobody", count=len(left)), kind=kind)
        if late := [held for held in of_them if _late(held)]:
            ms = max(held.wakes_ms for held in late)
            return self.found(Outcome.HELD, phrase("late", count=len(late), ms=ms), kind=kind)
        if left:
            return self.found(Outcome.HELD, phrase("one-only", people=len(people)), kind=kind)
        return self.found(Outcome.HELD, phrase("none-left"), kind=kind)

    def _left(self, kind: str, left: list[Held], people: int, at: float) -> Finding:
        first = left[0]
        who = len({held.who for held in left})
        said = phrase(
            "left-each",
            count=len(left),
            people=people,
            each=round(len(left) / who, 1),
            evidence=first.evidence,
            ms=at,
        )
        return self.found(Outcome.VIOLATED, said, who=first.who, kind=kind, holder=first.holder)

    def _surplus(
        self, timeline: Timeline, kind: str, what: str, crowd: tuple[str, ...], others: int | None
    ) -> Iterator[Finding]:
        """Rows and sockets are only counted: those that are more than the others', or than before the subject came."""
        people, counts = len(crowd), list(timeline.select(what, source="lab"))
        if not counts:
            return
        if error := next((seen.text("error") for seen in counts if seen.text("error")), ""):
            yield self.found(Outcome.UNKNOWN, phrase("census-failed", error=error), kind=kind)
            return
        came = min((seen.at for who in crowd for seen in timeline.select("connected", who)), default=0.0)
        first = next((seen for seen in reversed(counts) if seen.at <= came), counts[0])
        before, most, last = (_count(seen) for seen in (first, max(counts, key=_count), counts[-1]))
        left = int(last - (before if others is None else others))
        if left >= min(2, people) and kind == "socket" and not _pings_are_over(timeline):
            yield self.found(Outcome.UNKNOWN, phrase("pings-unknown", count=left), kind=kind)
        elif left >= min(2, people):
            last_look = max(seen.at for seen in timeline)  # what is counted is recorded when it changes
            said = phrase("surplus", count=left, people=people, ms=last_look)
            yield self.found(Outcome.VIOLATED, said, who=self.who, kind=kind, holder=counts[-1].text("holder"))
        elif kind == "row" and most <= before:
            yield self.found(Outcome.UNKNOWN, phrase("never-there", kind=kind), kind=kind)
        else:
            yield self.found(Outcome.HELD, phrase("none-left"), kind=kind)


@dataclass(frozen=True, slots=True)
class Noticed(NoticedWithin):
    """As NoticedWithin; but a server that slept, and whose sleep was cut short, noticed on a timer of its own."""

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding; none where nobody looks inside."""
        if not seen_inside(timeline):
            return
        people = evidence.crowd(timeline, self.who)
        hurried = next((seen.at for seen in timeline.select("hurried") if seen.number("count")), None)
        seen = [noticed for who in people if (noticed := evidence.noticed(timeline, who)) is not None]
        if people and len(seen) == len(people) and hurried is not None and max(one.at for one in seen) > hurried:
            yield self.found(Outcome.HELD, phrase("on-its-timer"))
        elif timeline.header.flavour == "websockets":
            yield from NoticedWithin.check(replace(self, seconds=self.seconds + LEGACY_SECONDS), timeline)
        else:
            yield from NoticedWithin.check(self, timeline)


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


@dataclass(frozen=True, slots=True)
class Quiet(Claim):
    """An ordinary end raises nothing out of the handler, and nothing that only the log sees."""

    word: ClassVar[str] = "no-noise"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding; none where nobody looks inside."""
        if not seen_inside(timeline):
            return
        people = evidence.crowd(timeline, self.who)
        loud = [
            seen for who in people for seen in timeline.select("returned", who) if seen.text("error") not in GOODBYES
        ]
        logged = [seen for seen in timeline.select("logged", source=SERVER) if seen.text("error")]
        few = min(2, len(people))
        if loud and len(loud) >= few:
            said = phrase("escaped", error=loud[0].text("error"), count=len(loud), people=len(people))
            yield self.found(Outcome.VIOLATED, said, who=loud[0].who)
        elif logged and len(logged) >= few:
            said = phrase("noise", text=logged[0].text("error"), ms=logged[0].at)
            yield self.found(Outcome.VIOLATED, said, who=logged[0].who)
        else:
            yield self.found(Outcome.HELD, phrase("quiet"))


def _pings_are_over(timeline: Timeline) -> bool:
    """Whether a server would have found a silent client by now: after two of its pings, if we know how often they come.

    Inside we set that ourselves. From outside it is what somebody said, or the shortest time between two that came.
    """
    silent = [seen.at for seen in timeline.select("injected") if seen.text("seen") == "stopped" and seen.who != SERVER]
    if timeline.header.flavour != FOREIGN or not silent:
        return True
    manners = Manners.of(timeline)
    pauses = [manners.pings_ms] if manners is not None and manners.pings_ms > 0 else []
    people = {seen.who for seen in timeline.select("pinged")}
    times = ([seen.at for seen in timeline.select("pinged", who)] for who in people)
    pauses += [after - before for one in times for before, after in pairwise(one)]
    over = max(seen.at for seen in timeline) - silent[-1]
    return bool(pauses) and over >= 2 * min(pauses)


def _grows(left: list[Held], people: int) -> list[Held]:
    """Those that are left, if they are left for more than one; of a single connection one is all there can be."""
    return left if len({held.who for held in left}) >= min(2, people) else []


def _late(held: Held) -> bool:
    """Whether it ends by itself: a task, whenever; a reference held by a timer, if that is soon; a handler is told."""
    return held.late and (held.kind == "task" or (held.kind == "connection" and held.wakes_ms <= SOON_MS))


def _count(seen: Observation) -> float:
    return seen.number("count") or 0.0
