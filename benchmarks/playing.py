"""Scenarios, timed. What is not held is worth no figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.backends.stage import Backend
from lab.clock import now
from lab.scenario import names
from lab.session import Session
from lab.verdict import Outcome
from tests.playing import play, report


@dataclass(frozen=True, slots=True)
class KillTimes:
    """One kill, stage to tear-down.

    Attributes:
        seconds: all of it.
        noticed_ms, cleaned_ms: from the fault.
        surveys: how often the server was asked what it holds.
    """

    seconds: float
    noticed_ms: float
    cleaned_ms: float
    surveys: int


def kills(backend: Backend, times: int) -> Iterator[KillTimes]:
    """So many of them."""
    for _ in range(times):
        before = now()
        played = play("kill", backend)
        seconds = now() - before
        assert played.verdict.outcome is Outcome.HELD, report(played)
        noticed, cleaned = played.verdict.noticed_ms or 0.0, played.verdict.cleaned_ms or 0.0
        yield KillTimes(seconds, noticed, cleaned, sum(1 for _ in played.timeline.select("counted")))


def played_all(backend: Backend) -> float:
    """Seconds that all scenarios take, as `lab run --all` plays them."""
    with TemporaryDirectory() as folder:
        before = now()
        for played in Session(backend, "reference", "rfc6455", Path(folder)).play_all(names()):
            assert played.verdict.outcome is Outcome.HELD, report(played)
        return now() - before
