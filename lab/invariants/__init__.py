"""Invariants: what must be true of a timeline. Pure, and each of them can fail."""

from __future__ import annotations

from lab.dialect import KINDS
from lab.invariants.claim import Claim, Invariant
from lab.invariants.ends import CleanedOnce, ClosedWith, NoGoodbye, NoOrphan, NoticedWithin
from lab.invariants.process import CounterIsTrue, NoNoise, StopsInTime
from lab.invariants.service import Answered, Heard, StillServed

__all__ = [
    "KINDS",
    "Answered",
    "Claim",
    "CleanedOnce",
    "ClosedWith",
    "CounterIsTrue",
    "Heard",
    "Invariant",
    "NoGoodbye",
    "NoNoise",
    "NoOrphan",
    "NoticedWithin",
    "StillServed",
    "StopsInTime",
    "tidy",
]


def tidy(who: str) -> tuple[Invariant, ...]:
    """The claims that every end of a connection must meet, however it came."""
    return (NoOrphan(who), CleanedOnce(who), CounterIsTrue(), NoNoise())
