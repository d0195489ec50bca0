"""Claims about those who must not notice anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from lab import evidence
from lab.dialect import KINDS, Dialect
from lab.invariants.claim import Claim, code_of, had, messages
from lab.steps import Say
from lab.timeline import Timeline
from lab.verdict import Finding, Outcome, phrase

ANSWER_MS = 2000.0
"""How long an echo may take."""


@dataclass(frozen=True, slots=True)
class StillServed(Claim):
    """A bystander keeps everything: an echo at the end, every broadcast, and what the server holds for her."""

    word: ClassVar[str] = "still-served"

    @property
    def asks(self) -> tuple[Say, ...]:
        """One more echo, after everything else."""
        return (Say(self.who, "still here?"),)

    @property
    def bound_ms(self) -> float:
        """What the runner waits for an answer."""
        return ANSWER_MS

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """One finding."""
        census, dialect = evidence.last_census(timeline), Dialect.of(timeline)
        missed = _missed(timeline, self.who) if dialect.broadcasts else []
        if timeline.first("connected", self.who) is None:
            yield self.found(Outcome.VIOLATED, phrase("not-connected"))
        elif (closed := timeline.first("closed", self.who)) is not None:
            yield self.found(Outcome.VIOLATED, phrase("bystander-closed", code=code_of(closed), ms=closed.at))
        elif missed:
            yield self.found(Outcome.VIOLATED, phrase("missed", text=missed[0], count=len(missed)))
        elif not dialect.echoes:
            yield self.found(Outcome.UNKNOWN, phrase("other-dialect"))
        elif not _echoed(timeline, self.asks[0]):
            yield self.found(Outcome.VIOLATED, phrase("no-echo"))
        elif census is None:
            yield self.found(Outcome.UNKNOWN, phrase("no-census"))
        elif lost := [kind for kind in KINDS if kind in dialect.kinds and not had(census, kind, self.who)]:
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
        if not Dialect.of(timeline).broadcasts:
            yield self.found(Outcome.UNKNOWN, phrase("other-dialect"))
            return
        heard = any(message.get("text") == self.text for message in messages(timeline, self.who))
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
        if Dialect.of(timeline).foreign:
            yield self.found(Outcome.UNKNOWN, phrase("other-dialect"))
            return
        said = [message.get("error") for message in messages(timeline, self.who) if message.get("type") == "error"]
        held = said == list(self.errors)
        words = phrase("answered", said=", ".join(map(str, said)), count=len(said), want=", ".join(self.errors))
        yield self.found(Outcome.HELD if held else Outcome.VIOLATED, words)


def _echoed(timeline: Timeline, asked: Say) -> bool:
    return any(
        message.get("type") == "echo" and message.get("text") == asked.text for message in messages(timeline, asked.who)
    )


def _missed(timeline: Timeline, who: str) -> list[str]:
    """The broadcasts made while `who` was connected that never reached her."""
    connected = timeline.first("connected", who)
    if connected is None:
        return []
    heard = {message.get("text") for message in messages(timeline, who) if message.get("type") == "broadcast"}
    made = [seen for seen in timeline.select("ordered") if seen.text("do") == "broadcast" and seen.at >= connected.at]
    return [seen.text("text") for seen in made if seen.text("text") not in heard]
