"""A session: the scenarios of one command, played one after the other on one backend, each timeline kept."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.backends.stage import Backend
from lab.clock import now
from lab.reports import Played
from lab.runner import run
from lab.scenario import load
from lab.timeline import Header, Timeline

Watch = Callable[[str, str], None]
"""Told which scenario is being played, and which step of it."""


@dataclass(frozen=True, slots=True)
class Session:
    """What is to be played, on what, and where its timelines go.

    Attributes:
        subject: what is being graded: `reference`, or the name of another server.
        flavour: the WebSocket implementation it runs on.
    """

    backend: Backend
    subject: str
    flavour: str
    folder: Path

    def play(self, name: str, watch: Watch = lambda _name, _step: None) -> Played:
        """Play one. Its timeline is written even if the run is cut short; unsealed, it is nobody's evidence."""
        scenario = load(name)
        timeline = Timeline(Header(name, self.subject, self.backend.name, self.flavour))
        path = self.folder / f"{name}.jsonl"
        before = now()
        try:
            verdict = run(scenario, self.backend, timeline, lambda step: watch(name, step))
        finally:
            path.write_text(timeline.to_jsonl(), encoding="utf-8", errors="backslashreplace")
        return Played(name, verdict, timeline, now() - before, _shown(path))


def _shown(path: Path) -> str:
    """The path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def shuffled(names: Iterable[str], seed: int | None) -> tuple[str, ...]:
    """The names in an order that `seed` decides; as they are without one."""
    order = list(names)
    if seed is not None:
        random.Random(seed).shuffle(order)
    return tuple(order)
