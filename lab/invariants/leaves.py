"""The claim that nothing is left: of what has ended, nothing grows with each death."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from lab import evidence, growth
from lab.evidence import Held
from lab.faults import SERVER
from lab.followed import FOLLOW_SECONDS, FORK
from lab.growth import Growth
from lab.invariants.claim import Claim, code_of
from lab.invariants.foreign import FOREIGN
from lab.invariants.lost import crashed, frozen, is_lost, seen_inside
from lab.manners import Manners
from lab.phases import PHASED, TALK, Key, Phase, phases_of
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Grew, Outcome, Phrase, phrase

UNTOLD = "untold"
"""The witness's observation that something of this Python, or of a library, cannot be read as it was expected."""

NEEDS = {
    "connection": ("connection", "timer", "queue", "place", "pool", "cache"),
    "handler": ("connection",),
    "task": ("task", "timer", "thread"),
}
"""What must be told for a kind of orphan to be known."""


@dataclass(frozen=True, slots=True)
class LeavesNothing(Claim):
    """Of connections that have ended, nothing is left that grows with each of them.

    Growth is measured over waves of deaths, against controls in which nobody dies (lab.growth). What grows with the
    first wave only, has a bound, or is gone within the hour and held no connection, is said, and nobody is accused.
    What lives though no path to it was found is a doubt.

    Attributes:
        stopped: the server is gone, and only its rows can be left.
        kinds: what to look for inside.
        rows: count rows too. Not where others come after the subject: nobody knows how many rows theirs are.
    """

    stopped: bool = False
    rows: bool = True
    kinds: tuple[str, ...] = ("connection", "handler", "task", "socket")
    word: ClassVar[str] = "no-orphan"
    encore: ClassVar[bool] = True

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding a kind of which anything is known."""
        story = timeline.before(PHASED)
        people = [who for who in evidence.crowd(story, self.who) if story.first("connected", who)]
        if not people:
            yield self.found(Outcome.UNKNOWN, phrase("nothing-happened"))
            return
        if not self.stopped and seen_inside(timeline):
            yield from self._inside(phases_of(timeline), untold(timeline))
        elif not self.stopped and is_lost(timeline) and not is_lost(story):
            yield self.found(Outcome.UNKNOWN, _lost(timeline))
        if self.stopped:
            yield from self._outlived(timeline)
        crowd = tuple(people)
        if not self.stopped and not is_lost(timeline) and not seen_inside(timeline):
            others = sum(1 for _ in story.select("connected")) - len(people)
            yield from self._surplus(story, "socket", "sockets", crowd, others)
            yield from self._from_outside(phases_of(timeline))
        if self.rows and crashed(timeline) is None:
            yield from self._surplus(story, "row", "rows", crowd, None)

    def _outlived(self, timeline: Timeline) -> Iterator[Finding]:
        """The server's own processes, once it has ended; nothing is said where it had none."""
        left, still = evidence.left_behind(timeline, SERVER)
        if still and evidence.could_be_met(timeline, FOLLOW_SECONDS * 1000):
            forked = still[0] == FORK
            said = phrase("outlived-fork") if forked else phrase("outlived", command=still[0])
            yield self.found(Outcome.VIOLATED, said, who=SERVER, kind="task")
        elif still or (left and not evidence.all_have_followed(timeline)):
            yield self.found(Outcome.UNKNOWN, phrase("outlived-unknown", count=left), kind="task")

    def _inside(self, phases: list[Phase], unknown: frozenset[str]) -> Iterator[Finding]:
        """What the phases show, a finding a kind."""
        if not phases:
            yield self.found(Outcome.UNKNOWN, phrase("no-census"))
            return
        if why := next((one.why for one in phases if one.why), ""):
            yield self.found(Outcome.UNKNOWN, phrase("not-moved", why=why))
            return
        found, dead = growth.grown(phases), growth.holds_the_dead(phases)
        busy = any(one.kind == "handler" and not one.swept for one in found)
        for kind in self.kinds:
            if missing := sorted(unknown.intersection(NEEDS.get(kind, ()))):
                yield self.found(Outcome.UNKNOWN, phrase("untold", what=", ".join(missing)), kind=kind)
                continue
            mine = [one for one in found if one.kind == kind and not (busy and kind in ("connection", "task"))]
            yield self._kind(kind, mine, [one for one in found if one.kind != kind], phases, dead=dead)

    def _from_outside(self, phases: list[Phase]) -> Iterator[Finding]:
        """What the system shows to grow; nothing is said of what does not."""
        for kind in ("task", "socket"):
            guilty = [one for one in growth.grown(phases) if one.kind == kind and not one.gone]
            if guilty:
                yield self._grew(kind, guilty, phases)

    def _kind(self, kind: str, mine: list[Growth], others: list[Growth], phases: list[Phase], *, dead: bool) -> Finding:
        sure = [one for one in mine if one.key != ("connection", "?")]
        guilty = [
            one
            for one in sure
            if not one.bounded and (dead or not one.gone) and not growth.is_explained(one, [*others, *sure])
        ]
        if guilty:
            return self._grew(kind, guilty, phases)
        if doubts := [one for one in mine if one.key == ("connection", "?") and not sure]:
            return self.found(Outcome.UNKNOWN, phrase("held-by-nobody", count=sum(doubts[0].series)), kind=kind)
        for one in sure:
            if one.bounded:
                return self.found(Outcome.HELD, phrase("bounded", path=one.key[1]), kind=kind)
            if one.gone or one.swept:
                return self.found(Outcome.HELD, phrase("late", path=one.key[1]), kind=kind)
        first = [key for key in sorted(growth.suspects(phases[0])) if growth.KIND.get(key[0]) == kind and key[1]]
        said = _once(first[0], phases) if first else phrase("none-left")
        return self.found(Outcome.HELD, said, kind=kind)

    def _grew(self, kind: str, guilty: list[Growth], phases: list[Phase]) -> Finding:
        """The best example names the holder: a path to one of the dead, else the name of what grew."""
        shown = next((one for one in guilty if one.key[1]), guilty[0])
        held = _example(shown, kind, phases)
        key = shown.key[1] or (held.holder if held else "") or "?"
        control = next((phase.messages for phase in phases if phase.name == TALK), 0)
        said = phrase(
            "grew-users" if shown.of_users else f"grew-{shown.key[0]}",
            path=held.evidence if held and held.evidence else key,
            series=_series(shown.series),
            deaths=_series(shown.deaths, sign=False),
            control=_series(shown.control) or "-",
            messages=control,
        )
        who, holder = (held.who, held.holder) if held else ("", "")
        found = self.found(Outcome.VIOLATED, said, who=who, kind=kind, holder=holder or _holder(shown))
        return replace(found, growth=Grew(shown.series, shown.deaths, shown.control))

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


def _lost(timeline: Timeline) -> Phrase:
    """Where the event loop stands, or with which code the process ended."""
    stuck, over = frozen(timeline), crashed(timeline)
    if stuck is None and over is not None:
        return phrase("crashed-later", code=code_of(over))
    return phrase("frozen-later", where=stuck.text("where") if stuck else "")


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


def untold(timeline: Timeline) -> frozenset[str]:
    """What the witness cannot tell in this server."""
    seen = timeline.first(UNTOLD)
    kinds = seen.detail.get("kinds") if seen else None
    return frozenset(map(str, kinds)) if isinstance(kinds, list) else frozenset()


def _example(shown: Growth, kind: str, phases: list[Phase]) -> Held | None:
    """One of the dead of whom something of that kind is left; one that is held by what is shown, if there is one."""
    if shown.held is not None:
        return shown.held
    left = sorted(
        (held for held in growth.dead(phases) if held.kind == kind and held.sure),
        key=lambda held: (len(held.who), held.who),
    )
    return next((held for held in left if held.holder.startswith(shown.key[1])), left[0] if left else None)


def _once(key: Key, phases: list[Phase]) -> Phrase:
    """Why what the first wave left is no orphan."""
    if growth.is_a_history(key, phases):
        return phrase("history", path=key[1])
    return phrase("first-only", path=key[1])


def _series(numbers: tuple[int, ...], *, sign: bool = True) -> str:
    return " ".join(f"{number:+d}" if sign else str(number) for number in numbers)


def _holder(one: Growth) -> str:
    """What grew, where that has a name of the application's."""
    if one.key[0] == "type":
        return one.example
    named = ("entries", "listed", "places", "items", "lent", "cached", "number")
    return one.key[1] if one.key[0] in named else ""


def _count(seen: Observation) -> float:
    return seen.number("count") or 0.0
