"""Playing a scenario in a test; a verdict that is not as expected prints the lab's own report."""

from __future__ import annotations

from lab.backends.stage import Backend
from lab.reports import Played
from lab.reports.terminal import scenario as render
from lab.runner import run
from lab.scenario import load
from lab.timeline import Header, Timeline
from lab.words import Words


def play(name: str, backend: Backend, subject: str = "reference") -> Played:
    """Play one scenario on an open backend."""
    timeline = Timeline(Header(name, subject, backend.name, "rfc6455"))
    return Played(name, run(load(name), backend, timeline), timeline)


def report(played: Played) -> str:
    """What a participant would see."""
    return "\n" + render(played, Words("en")).plain
