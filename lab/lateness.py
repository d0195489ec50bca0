"""How late this machine wakes whoever sleeps: what the machine could not have done in time is nobody's fault."""

from __future__ import annotations

import threading
from typing import Self

from lab.clock import now
from lab.timeline import Observation, Timeline

EVERY_SECONDS = 0.02
"""How long the probe sleeps. A free machine wakes it within a millisecond (measured: 0.1 to 0.3 ms)."""


class Lateness:
    """Sleeps, and looks how late it was woken. A context manager."""

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="hangup-lateness", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        slept = now()
        while not self._over.wait(EVERY_SECONDS):
            self.worst_ms = max(self.worst_ms, (now() - slept - EVERY_SECONDS) * 1000)
            slept = now()

    def observe(self, timeline: Timeline) -> None:
        """Put the worst so far on a timeline."""
        timeline.record(Observation(timeline.elapsed(), "lab", "woken", "", {"late_ms": round(self.worst_ms, 3)}))
