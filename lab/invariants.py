"""Invariants: what must be true of a timeline. Pure, and each of them can fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from lab import evidence
from lab.evidence import Census
from lab.faults import SERVER
from lab.steps import Say
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, Phrase, phrase

KINDS = ("connection", "handler", "task", "row")
"""What the reference server sets up for a connection."""


SHOWN = 3
"""How many of a crowd's bad findings are shown."""


class Invariant(Protocol):
    """A claim about one run."""

    @property
    def asks(self) -> tuple[Say, ...]:
        """What must be said, once everything else is settled, for this claim to have evidence."""

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """Its findings; at least one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim about `who`: a connection, or a crowd such as `carol-*`."""

    who: str
    word: ClassVar[str] = ""

    @property
    def asks(self) -> tuple[Say, ...]:
        """Nothing, for most claims."""
        return ()

    def found(
        self, outcome: Outcome, said: Phrase, *, who: str = "", kind: str | None = None, holder: str | None = None
    ) -> Finding:
        """A finding of this claim."""
        return Finding(self.word, who or self.who, outcome, said, kind, holder or None)

    def for_each(self, timeline: Timeline, find: Callable[[str], Finding]) -> Iterator[Finding]:
        """A finding for each connection meant: a crowd in which all is well is one finding, else its first bad ones."""
        findings = [find(who) for who in evidence.crowd(timeline, self.who)]
        bad = [finding for finding in findings if finding.outcome is not Outcome.HELD]
        if not findings:
            yield self.found(Outcome.UNKNOWN, phrase("nothing-happened"))
        elif bad or len(findings) == 1:
            yield from bad[:SHOWN] or findings
        else:
            yield self.found(Outcome.HELD, phrase("each-one", count=len(findings)))


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
        return self.found(outcome, phrase("told", code=_code(told), ms=told.at), who=who)


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
        words = phrase("closed", where=self.at, code=_code(said), reason=said.text("reason"), want=self.code)
        return self.found(Outcome.HELD if held else Outcome.VIOLATED, words, who=who)


@dataclass(frozen=True, slots=True)
class NoticedWithin(Claim):
    """The application learned of the end within the bound that the fault allows.

    Attributes:
        seconds: the bound, from the fault's first moment.
    """

    seconds: float
    word: ClassVar[str] = "noticed-within"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding: for a crowd, on whoever was noticed last."""
        bound = self.seconds * 1000
        people = evidence.crowd(timeline, self.who)
        times = [evidence.noticed_ms(timeline, who) for who in people]
        if not times or not evidence.started(timeline, people[0]):
            yield self.found(Outcome.UNKNOWN, phrase("nothing-happened"))
        elif None in times:
            yield self.found(Outcome.VIOLATED, phrase("never-noticed", bound=bound))
        else:
            last = max(ms for ms in times if ms is not None)
            held = last <= bound
            said = phrase("noticed", ms=last, bound=bound)
            yield self.found(Outcome.HELD if held else Outcome.VIOLATED, said)


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
        if not taken:
            return self.found(Outcome.UNKNOWN, phrase("no-census"), kind=kind)
        last = taken[-1]
        if last.error:
            return self.found(Outcome.UNKNOWN, phrase("census-failed", error=last.error), kind=kind)
        if not any(_had(census, kind, self.who) for census in taken[:-1]):
            return self.found(Outcome.UNKNOWN, phrase("never-there", kind=kind), kind=kind)
        left = last.of(self.who, kind)
        if left:
            first = left[0]
            said = phrase("left", kind=kind, count=len(left), evidence=first.evidence, ms=last.at)
            return self.found(Outcome.VIOLATED, said, kind=kind, holder=first.holder)
        if kind == "row" and not self.reaped and (late := _reaped(timeline, self.who)):
            return self.found(Outcome.VIOLATED, phrase("reaped", ms=late.at), kind=kind)
        return self.found(Outcome.HELD, phrase("gone", kind=kind), kind=kind)


@dataclass(frozen=True, slots=True)
class CleanedOnce(Claim):
    """The counter went down exactly once for the connection, and its handler came back."""

    word: ClassVar[str] = "cleaned-once"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding, or the first few bad ones of a crowd."""
        return self.for_each(timeline, lambda who: self._one(timeline, who))

    def _one(self, timeline: Timeline, who: str) -> Finding:
        lines = evidence.counter_lines(timeline, who)
        if timeline.first("returned", who) is None:
            return self.found(Outcome.VIOLATED, phrase("never-returned"), who=who)
        if not lines:
            return self.found(Outcome.UNKNOWN, phrase("no-counter"), who=who)
        times = len(lines) - 1  # the first line is the connect
        outcome = Outcome.HELD if times == 1 else Outcome.VIOLATED
        return self.found(outcome, phrase("cleaned", times=times), who=who)


@dataclass(frozen=True, slots=True)
class StillServed(Claim):
    """A bystander keeps everything: an echo at the end, every broadcast, and what the server holds for her."""

    word: ClassVar[str] = "still-served"

    @property
    def asks(self) -> tuple[Say, ...]:
        """One more echo, after everything else."""
        return (Say(self.who, "still here?"),)

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        census = evidence.last_census(timeline)
        missed = _missed(timeline, self.who)
        if timeline.first("connected", self.who) is None:
            yield self.found(Outcome.VIOLATED, phrase("not-connected"))
        elif (closed := timeline.first("closed", self.who)) is not None:
            yield self.found(Outcome.VIOLATED, phrase("bystander-closed", code=_code(closed), ms=closed.at))
        elif missed:
            yield self.found(Outcome.VIOLATED, phrase("missed", text=missed[0], count=len(missed)))
        elif not _echoed(timeline, self.asks[0]):
            yield self.found(Outcome.VIOLATED, phrase("no-echo"))
        elif census is None:
            yield self.found(Outcome.UNKNOWN, phrase("no-census"))
        elif lost := [kind for kind in KINDS if not _had(census, kind, self.who)]:
            yield self.found(Outcome.VIOLATED, phrase("bystander-lost", kinds=", ".join(lost)))
        else:
            yield self.found(Outcome.HELD, phrase("served"))


@dataclass(frozen=True, slots=True)
class Heard(Claim):
    """A broadcast reached this client, late or not."""

    text: str
    word: ClassVar[str] = "still-served"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        heard = any(message.get("text") == self.text for message in _messages(timeline, self.who))
        said = phrase("heard" if heard else "not-heard", text=self.text)
        yield self.found(Outcome.HELD if heard else Outcome.VIOLATED, said)


@dataclass(frozen=True, slots=True)
class Answered(Claim):
    """The server answered with structured errors instead of hanging up or staying silent.

    Attributes:
        errors: the `error` word of each, in order.
    """

    errors: tuple[str, ...]
    word: ClassVar[str] = "still-served"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        said = [message.get("error") for message in _messages(timeline, self.who) if message.get("type") == "error"]
        held = said == list(self.errors)
        words = phrase("answered", said=", ".join(map(str, said)), count=len(said), want=", ".join(self.errors))
        yield self.found(Outcome.HELD if held else Outcome.VIOLATED, words)


@dataclass(frozen=True, slots=True)
class CounterIsTrue(Claim):
    """Every `active connections: N` in the log is one more or one less than the line before, and right at last."""

    who: str = SERVER
    word: ClassVar[str] = "counter-is-true"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        census = evidence.last_census(timeline)
        counts = _since_restart(timeline)
        if not counts or census is None:
            yield self.found(Outcome.UNKNOWN, phrase("no-counter"))
            return
        open_now = sum(held.kind == "handler" for held in census.held)
        steps = zip([0, *counts], counts, strict=False)
        wrong = next((after for before, after in steps if abs(after - before) != 1 or after < 0), None)
        if wrong is not None:
            yield self.found(Outcome.VIOLATED, phrase("counter-jumped", count=wrong))
        elif counts[-1] != open_now:
            yield self.found(Outcome.VIOLATED, phrase("counter-wrong", count=counts[-1], open=open_now))
        else:
            yield self.found(Outcome.HELD, phrase("counter-right", count=open_now))


@dataclass(frozen=True, slots=True)
class NoNoise(Claim):
    """An ordinary end leaves no exception in the server's log."""

    who: str = SERVER
    word: ClassVar[str] = "no-noise"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding: the first noise, or silence."""
        for seen in timeline.select("logged", source=SERVER):
            if seen.text("error") or seen.text("level") in ("error", "critical"):
                said = phrase("noise", text=seen.text("error") or seen.text("text"), ms=seen.at)
                yield self.found(Outcome.VIOLATED, said, who=seen.who)
                return
        yield self.found(Outcome.HELD, phrase("quiet"))


@dataclass(frozen=True, slots=True)
class StopsInTime(Claim):
    """Told to stop, the server's process was gone in time.

    Attributes:
        seconds: the bound, from the signal to the exit.
    """

    who: str = SERVER
    seconds: float = 3.0
    word: ClassVar[str] = "stops-in-time"

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        told, gone = timeline.last("injected", self.who), timeline.last("exited", self.who)
        if told is None:
            yield self.found(Outcome.UNKNOWN, phrase("nothing-happened"))
        elif gone is None:
            yield self.found(Outcome.VIOLATED, phrase("never-stopped", bound=self.seconds * 1000))
        else:
            ms = round(gone.at - told.at, 3)
            held = ms <= self.seconds * 1000
            said = phrase("stopped", ms=ms, bound=self.seconds * 1000, code=_code(gone))
            yield self.found(Outcome.HELD if held else Outcome.VIOLATED, said)


def tidy(who: str) -> tuple[Invariant, ...]:
    """The claims that every end of a connection must meet, however it came."""
    return (NoOrphan(who), CleanedOnce(who), CounterIsTrue(), NoNoise())


def _code(seen: Observation) -> str | int:
    code = seen.code()
    return "-" if code is None else code


def _had(census: Census, kind: str, who: str) -> bool:
    if kind == "row":
        return any(held.kind == "row" and evidence.matches(held.who, evidence.user_of(who)) for held in census.held)
    return bool(census.of(who, kind))


def _reaped(timeline: Timeline, who: str) -> Observation | None:
    mark = f"reaped: a row of {evidence.user_of(who)} "
    return next((seen for seen in timeline.select("logged") if seen.text("text").startswith(mark)), None)


def _messages(timeline: Timeline, who: str) -> Iterator[dict[str, object]]:
    for seen in timeline.select("received", who):
        try:
            message = json.loads(seen.text("text"))
        except ValueError:
            continue
        if isinstance(message, dict):
            yield message


def _echoed(timeline: Timeline, asked: Say) -> bool:
    return any(
        message.get("type") == "echo" and message.get("text") == asked.text
        for message in _messages(timeline, asked.who)
    )


def _missed(timeline: Timeline, who: str) -> list[str]:
    """The broadcasts made while `who` was connected that never reached her."""
    connected = timeline.first("connected", who)
    if connected is None:
        return []
    heard = {message.get("text") for message in _messages(timeline, who) if message.get("type") == "broadcast"}
    made = [seen for seen in timeline.select("ordered") if seen.text("do") == "broadcast" and seen.at >= connected.at]
    return [seen.text("text") for seen in made if seen.text("text") not in heard]


def _since_restart(timeline: Timeline) -> list[int]:
    """The counter's values since the server last began to listen."""
    start = timeline.last("listening", source=SERVER)
    since = start.at if start else 0.0
    return [count for seen, count in evidence.counter_lines(timeline) if seen.at >= since]
