"""Claims about the server as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from lab import evidence
from lab.faults import SERVER
from lab.invariants.claim import Claim, code_of
from lab.timeline import Timeline
from lab.verdict import Finding, Outcome, phrase


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
        if timeline.first("logged", source=SERVER) is None:
            yield self.found(Outcome.UNKNOWN, phrase("no-log"))
            return
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

    @property
    def bound_ms(self) -> float:
        """The bound."""
        return self.seconds * 1000

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
            said = phrase("stopped", ms=ms, bound=self.seconds * 1000, code=code_of(gone))
            yield self.found(Outcome.HELD if held else Outcome.VIOLATED, said)


def _since_restart(timeline: Timeline) -> list[int]:
    """The counter's values since the server last began to listen."""
    start = timeline.last("listening", source=SERVER)
    since = start.at if start else 0.0
    return [count for seen, count in evidence.counter_lines(timeline) if seen.at >= since]
