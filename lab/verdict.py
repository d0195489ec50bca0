"""The verdict: what a timeline says about the claims of a scenario."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

Arg = str | int | float


class Outcome(Enum):
    """Three answers, because "we could not tell" is not "it holds". The value is the exit code."""

    HELD = 0
    VIOLATED = 1
    UNKNOWN = 2

    @property
    def word(self) -> str:
        """`held`, `violated` or `unknown`, as reports and exit lines say it."""
        return self.name.lower()

    @classmethod
    def worst(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """A violation outweighs a doubt, a doubt outweighs a success, and no answer at all is a doubt."""
        seen = set(outcomes)
        for outcome in (cls.VIOLATED, cls.UNKNOWN):
            if outcome in seen:
                return outcome
        return cls.HELD if seen else cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence by its key in `words/`, with what fills its gaps; a report says it in a language."""

    key: str
    args: tuple[tuple[str, Arg], ...] = ()


def phrase(key: str, **args: Arg) -> Phrase:
    """A Phrase, its arguments in order of name so that equal ones compare equal."""
    return Phrase(key, tuple(sorted(args.items())))


@dataclass(frozen=True, slots=True)
class Grew:
    """By how much something grew.

    Attributes:
        series: with each wave of deaths.
        deaths: how many died in each.
        control: in each control, in which nobody died.
    """

    series: tuple[int, ...]
    deaths: tuple[int, ...]
    control: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one claim has to say, and the evidence it says it from.

    Attributes:
        claim: a word of the report's contract: `no-orphan`, `noticed-within`, `attested`, ...
        who: the connection or actor it is about.
        outcome: held, violated or unknown.
        evidence: what was seen.
        kind: for `no-orphan`: connection, handler, task, row or socket.
        holder: for `no-orphan`: what still holds it, where that is known.
        hint: how to think about it, for a violation.
        growth: for `no-orphan`: the measurement, where it was one.
        whole: whether it is about the whole run. A doubt about that outweighs a violation in a part of it.
    """

    claim: str
    who: str
    outcome: Outcome
    evidence: Phrase
    kind: str | None = None
    holder: str | None = None
    hint: Phrase | None = None
    growth: Grew | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Codes:
    """How one connection ended, said at three points. None: that point said nothing.

    Attributes:
        client: what the client's library reported.
        wire: the Close frame that crossed the server's socket; 1006 if none did (RFC 6455 §7.1.5).
        app: what the application was told.
    """

    client: int | None = None
    wire: int | None = None
    app: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings on one run of one scenario, and its measures (milliseconds after the fault)."""

    scenario: str
    findings: tuple[Finding, ...]
    codes: Codes = Codes()
    noticed_ms: float | None = None
    bound_ms: float | None = None
    cleaned_ms: float | None = None

    @property
    def outcome(self) -> Outcome:
        """The worst of its findings; unknown, if there is a doubt about the whole run."""
        if any(finding.whole and finding.outcome is Outcome.UNKNOWN for finding in self.findings):
            return Outcome.UNKNOWN
        return Outcome.worst(finding.outcome for finding in self.findings)
