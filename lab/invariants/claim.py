"""What a claim is, and what claims share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from lab import evidence
from lab.evidence import Census
from lab.steps import Say
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, Phrase, phrase

SHOWN = 3
"""How many of a crowd's bad findings are shown."""


class Invariant(Protocol):
    """A claim about one run.

    Attributes:
        encore: whether it is about the whole of it, and not only about what was before anybody came back.
    """

    encore: ClassVar[bool]

    @property
    def asks(self) -> tuple[Say, ...]:
        """What must be said, once everything else is settled, for this claim to have evidence."""

    @property
    def bound_ms(self) -> float | None:
        """Within what time something must have happened; None if the claim is not about time."""

    def check(self, timeline: Timeline) -> Iterator[Finding]:
        """Its findings; at least one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim about `who`: a connection, or a crowd such as `carol-*`."""

    who: str
    word: ClassVar[str] = ""
    encore: ClassVar[bool] = False

    @property
    def asks(self) -> tuple[Say, ...]:
        """Nothing, for most claims."""
        return ()

    @property
    def bound_ms(self) -> float | None:
        """None, for most claims."""
        return None

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


def code_of(seen: Observation) -> str | int:
    code = seen.code()
    return "-" if code is None else code


def had(census: Census, kind: str, who: str) -> bool:
    if kind == "row":
        return any(held.kind == "row" and evidence.matches(held.who, evidence.user_of(who)) for held in census.held)
    return bool(census.of(who, kind))


def messages(timeline: Timeline, who: str) -> Iterator[dict[str, object]]:
    for seen in timeline.select("received", who):
        try:
            message = json.loads(seen.text("text"))
        except ValueError:
            continue
        if isinstance(message, dict):
            yield message
