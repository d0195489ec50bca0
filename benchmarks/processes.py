"""The lab without Docker, against a test by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.byhand import handwritten
from benchmarks.commands import lab
from benchmarks.figures import Figure
from benchmarks.playing import kills, played_all
from lab.backends.embedded import Embedded

WHOLE, KEPT = "by_hand", "by_hand_kept"


def figures(rounds: int) -> Iterator[Figure]:
    """In turn, round after round: whatever else the machine does is then the same for all."""
    backend = Embedded()
    backend.open()
    by_hand: list[tuple[float, float]] = []
    command: list[float] = []
    wall: list[float] = []
    noticed: list[float] = []
    cleaned: list[float] = []
    surveys: list[float] = []
    every: list[float] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(rounds):
                by_hand.append(handwritten(Path(folder)))
                command.append(lab("run", "kill", "--backend", "embedded").wall)
                for one in kills(backend, 4):
                    wall.append(one.seconds)
                    noticed.append(one.noticed_ms)
                    cleaned.append(one.cleaned_ms)
                    surveys.append(one.surveys)
        every = [played_all(backend) for _ in range(max(1, rounds // 2))]
    finally:
        backend.close()
    yield Figure(WHOLE, "by hand: server, client, kill, poll, down", "s", tuple(whole for whole, _ in by_hand))
    yield Figure(KEPT, "by hand, server kept: client, kill, poll", "s", tuple(kept for _, kept in by_hand))
    yield Figure("kill", "embedded: one kill, stage to tear-down", "s", tuple(wall), KEPT, 0.5)
    yield Figure("noticed", "embedded: fault to noticed", "ms", tuple(noticed))
    yield Figure("cleaned", "embedded: fault to cleaned", "ms", tuple(cleaned))
    yield Figure("surveys", "embedded: surveys of the server in a kill", "", tuple(surveys))
    yield Figure("run_kill", "lab run kill --backend embedded, whole command", "s", tuple(command), WHOLE, 0.7)
    yield Figure("all", "embedded: all scenarios", "s", tuple(every), WHOLE, 6.0)
