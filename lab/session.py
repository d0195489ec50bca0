"""A session: the scenarios of one command, played on one backend, each timeline kept."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from lab.backends.stage import Backend
from lab.clock import now
from lab.dialect import Dialect
from lab.faults import SERVER, Fault, Heal
from lab.learning import learn
from lab.paths import write_private
from lab.reports import Played
from lab.runner import run
from lab.scenario import load
from lab.timeline import Header, Timeline

BESIDE = 3
"""How many that mostly wait are played at once, beside one that does not."""

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
    _timelines: list[Timeline] = field(default_factory=list)
    _learned: list[Dialect] = field(default_factory=list)
    _learning: Lock = field(default_factory=Lock)

    def play_all(self, names: Iterable[str], watch: Watch = lambda _name, _step: None) -> Iterator[Played]:
        """Play them, and give them in their order. Those in which a second is only waited for are played beside others.

        One that must mend something in time has the machine to itself.

        Raises:
            StageError: the stage of one could not be set, or fell apart. The others are then cut short.
        """
        order = list(names)
        waiting = [name for name in order if len(order) > 1 and self.backend.side_by_side and mostly_waits(name)]
        with ThreadPoolExecutor(BESIDE) as pool:
            try:
                beside = {name: pool.submit(self.play, name, watch) for name in waiting}
                yield from self._in_order(order, beside, watch)
            except BaseException:
                for timeline in self._timelines:
                    timeline.cut_short()
                pool.shutdown(cancel_futures=True)
                raise

    def _in_order(self, order: list[str], beside: dict[str, Future[Played]], watch: Watch) -> Iterator[Played]:
        """Never idle while there is one to play here."""
        alone = {name for name in order if beside and mends_in_time(name)}
        here = deque(name for name in order if name not in beside and name not in alone)
        played: dict[str, Played] = {}
        for name in order:
            while here and name not in played and not (name in beside and beside[name].done()):
                first = here.popleft()
                played[first] = self.play(first, watch)
            if name in alone:
                for other in beside.values():
                    other.result()
                played[name] = self.play(name, watch)
            yield beside[name].result() if name in beside else played[name]

    def _dialect(self) -> Dialect:
        """How the server speaks; it is asked once, and ours are known."""
        with self._learning:
            if not self._learned:
                ours = self.subject == "reference" or self.subject.startswith("broken/")
                header = Header("learning", self.subject, self.backend.name, self.flavour)
                self._learned.append(Dialect() if ours else learn(self.backend, header))
            return self._learned[0]

    @property
    def speaks_otherwise(self) -> bool:
        """Whether the server turned out to speak otherwise than the reference."""
        return any(dialect.foreign for dialect in self._learned)

    def play(self, name: str, watch: Watch = lambda _name, _step: None) -> Played:
        """Play one. Its timeline is written even if the run is cut short; unsealed, it is nobody's evidence."""
        scenario = load(name)
        timeline = Timeline(Header(name, self.subject, self.backend.name, self.flavour))
        self._timelines.append(timeline)
        dialect = self._dialect()
        path = self.folder / f"{name}.jsonl"
        before = now()
        try:
            verdict = run(scenario, self.backend, timeline, lambda step: watch(name, step), dialect)
        finally:
            why = write_private(path, timeline.to_jsonl())
        return Played(name, verdict, timeline, now() - before, _shown(path), unwritten=why)


def mostly_waits(name: str) -> bool:
    """Whether pings or leases must run out in it: seconds in which next to nothing happens."""
    scenario = load(name)
    waits = scenario.silent or any(isinstance(step, Fault) and step.who == SERVER for step in scenario.steps)
    return waits and not mends_in_time(name)


def mends_in_time(name: str) -> bool:
    """Whether a client falls silent in it for so short that she must be served afterwards: it is ours to be quick."""
    return any(isinstance(step, Heal) and step.who != SERVER for step in load(name).steps)


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
