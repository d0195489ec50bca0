"""The nemesis: injects faults, records them, and always mends them."""

from __future__ import annotations

from types import TracebackType

from lab.backends.stage import Mend, Stage
from lab.clock import now
from lab.faults import Fault
from lab.timeline import Observation, Timeline


class Nemesis:
    """Holds the undoing of every fault it has done; leaving it mends what is left, last broken first."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self._stage = stage
        self._timeline = timeline
        self._broken: list[tuple[Fault, Mend]] = []

    def inject(self, fault: Fault) -> None:
        """Do a fault, and record the bracket in which it happened."""
        injected = self._stage.inject(fault)
        self._broken.append((fault, injected.mend))
        self._record(
            "injected",
            fault,
            injected.bracket.before,
            until=self._timeline.elapsed(injected.bracket.after),
            seen=injected.evidence,
        )

    def heal(self, who: str) -> None:
        """Mend the last fault that `who` suffers."""
        for index in reversed(range(len(self._broken))):
            fault, mend = self._broken[index]
            if fault.who == who:
                del self._broken[index]
                before = now()
                mend()
                self._record("mended", fault, before, until=self._timeline.elapsed())
                return

    def touches(self, who: str) -> bool:
        """Whether a fault on `who` is still on."""
        return any(fault.who == who for fault, _ in self._broken)

    def __enter__(self) -> Nemesis:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failures: list[Exception] = []
        while self._broken:
            _, mend = self._broken.pop()
            try:
                mend()
            except Exception as failure:  # one failed mending must not cost the others theirs; it is raised below
                failures.append(failure)
        if failures and error is None:
            raise failures[0]

    def _record(self, what: str, fault: Fault, at: float, **detail: float | str) -> None:
        said = Observation(self._timeline.elapsed(at), "lab", what, fault.who, {"fault": fault.name, **detail})
        self._timeline.record(said)
