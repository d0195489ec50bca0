"""Exercises: small servers to mend, one after another, each graded on some ways in which a connection ends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.paths import ROOT

HERE = Path(__file__).parent


class NoSuchStep(LookupError):
    """There is no step of that name."""


@dataclass(frozen=True, slots=True)
class Step:
    """One server to mend.

    Attributes:
        name: its folder's: `1_count`. Its texts have the same name.
        cases: the ends its server is graded on.
        findings: what the starter gets wrong: a claim (and kind), and the cases that show it, space separated.
        rows_sql: what asks its database whose rows are open; "" where it has no database.
    """

    name: str
    cases: tuple[str, ...]
    findings: Mapping[str, str]
    rows_sql: str = ""

    @property
    def number(self) -> str:
        """What it may be called for short."""
        return self.name.partition("_")[0]

    @property
    def starter(self) -> str:
        """The server as a participant gets it."""
        return (HERE / "starters" / f"{self.name}.py").read_text(encoding="utf-8")

    @property
    def solution(self) -> str:
        """One way to mend it."""
        return (HERE / "solutions" / f"{self.name}.py").read_text(encoding="utf-8")

    def file(self, folder: Path) -> Path:
        """What the participant edits."""
        return folder / self.name / "server.py"


STEPS = (
    Step(
        "1_count",
        cases=("close", "kill", "quit"),
        findings={"counter-is-true": "close kill quit", "no-noise": "close kill quit"},
    ),
    Step(
        "2_code",
        cases=("close", "away", "kill"),
        findings={"no-orphan connection": "away kill", "counter-is-true": "away kill"},
    ),
    Step(
        "3_heartbeat",
        cases=("close", "kill", "pause"),
        findings={"no-orphan task": "close kill pause"},
    ),
    Step(
        "4_row",
        cases=("close", "kill", "quit"),
        findings={"no-orphan row": "close kill quit"},
        rows_sql="SELECT client FROM session WHERE ended_at IS NULL",
    ),
    Step(
        "5_farewell",
        cases=("talk", "stop", "kill"),
        findings={
            "no-orphan connection": "kill",
            "no-noise": "kill",
            "still-served": "talk kill",
            "stops-in-time": "stop",
        },
    ),
)
"""All steps, in order. Each has a starter, a solution, and a folder in `exercises/`."""


def folder() -> Path:
    """Where the participant works: LAB_EXERCISES, else `exercises` in the clone."""
    return Path(os.environ.get("LAB_EXERCISES") or ROOT / "exercises")


def find(name: str) -> Step:
    """The step of that name, or number, or name without its number.

    Raises:
        NoSuchStep: there is none.
    """
    for step in STEPS:
        if name in (step.name, *step.name.split("_")):
            return step
    raise NoSuchStep(name)
