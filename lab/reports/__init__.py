"""Reports: the same verdicts for eyes, programs and CI. Renderers only; nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass

from lab.timeline import Timeline
from lab.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Played:
    """One scenario that was played, or judged from disk.

    Attributes:
        name: the scenario's.
        seconds: how long it took, setting and striking the stage included.
        path: where its timeline is kept, or "".
        again: why it was played a second time, with the machine to itself; "" if it was not.
        unwritten: why its timeline could not be written; "" if it was.
    """

    name: str
    verdict: Verdict
    timeline: Timeline
    seconds: float = 0.0
    path: str = ""
    again: str = ""
    unwritten: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one command has to report."""

    command: str
    subject: str
    backend: str
    flavour: str
    seconds: float
    played: tuple[Played, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of all."""
        return Outcome.worst(played.verdict.outcome for played in self.played)

    def named(self, outcome: Outcome) -> tuple[str, ...]:
        """The scenarios with that outcome."""
        return tuple(played.name for played in self.played if played.verdict.outcome is outcome)
