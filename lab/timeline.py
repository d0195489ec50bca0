"""The timeline: one append-only list of everything anybody saw, on one clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from operator import is_not

from lab.clock import now
from lab.observation import Json, Observation, TimelineError, object_of, observation_of
from lab.waiting import ANY, Waiters

__all__ = ["SCHEMA", "CutShort", "Header", "Json", "Observation", "Timeline", "TimelineError"]

SCHEMA = 1


class CutShort(RuntimeError):
    """Whoever plays on this timeline is to stop and take down what was set up: somebody does not want to wait."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a stored timeline says of itself in its first line."""

    scenario: str
    subject: str
    backend: str
    flavour: str


class Timeline:
    """Append-only, one writer at a time, sealed before anything is torn down.

    A timeline that was never sealed is the record of a run that was cut short: its verdict is unknown.

    Attributes:
        stir: has whoever waits look again, when something has changed that is no observation.
    """

    def __init__(self, header: Header, observations: Iterable[Observation] = (), *, sealed: bool = False) -> None:
        self.header = header
        self.started = now()
        self._waiters = Waiters()
        self.stir = self._waiters.stir
        self._sealed = sealed
        self._cut_short = False
        self._clear()
        for seen in observations:
            self._add(seen)

    @property
    def sealed(self) -> bool:
        """Whether the story is over."""
        return self._sealed

    def elapsed(self, reading: float | None = None) -> float:
        """Milliseconds from the start of the run to `reading` (seconds on the lab's clock; now if None)."""
        return round(((now() if reading is None else reading) - self.started) * 1000, 3)

    def record(self, seen: Observation) -> None:
        """Append one observation and wake whoever waits for such a one. After seal() nothing is added."""
        with self._waiters.lock:
            if not self._sealed:
                self._add(seen)
                self._waiters.tell(seen.what, seen.who)

    def begin(self) -> None:
        """The stage is set: time starts now, and how it was set is not part of the story."""
        with self._waiters.lock:
            self._clear()
            self.started = now()

    def seal(self) -> None:
        """The story is over; what tear-down does is not part of it."""
        with self._waiters.lock:
            self._sealed = True
            self.stir()

    def cut_short(self) -> None:
        """Have whoever waits, now or later, raise CutShort instead. For another thread than the one that plays."""
        with self._waiters.lock:
            self._cut_short = True
            self.stir()

    def wait_for(self, fact: Callable[[Timeline], bool], seconds: float) -> bool:
        """Block until `fact` holds of what has been seen, or `seconds` are over. Returns whether it held.

        It is asked again when something is seen of what it looked for, at the end of an actor, and after stir().

        Raises:
            CutShort: nobody wants to know any more.
        """

        def ask() -> bool:
            if self._cut_short:
                raise CutShort
            return fact(self)

        return self._waiters.until(ask, seconds)

    def select(self, what: str, who: str | None = None, source: str | None = None) -> Iterator[Observation]:
        """The observations of that kind, in the order in which they arrived."""
        found = self._found(what, who)
        for seen in islice(found, len(found)):
            if source in (None, seen.source):
                yield seen

    def first(self, what: str, who: str | None = None, source: str | None = None) -> Observation | None:
        """The first such observation, or None."""
        return next(self.select(what, who, source), None)

    def last(self, what: str, who: str | None = None, source: str | None = None) -> Observation | None:
        """The last such observation, or None."""
        return next((seen for seen in reversed(self._found(what, who)) if source in (None, seen.source)), None)

    def _found(self, what: str, who: str | None) -> list[Observation]:
        self._waiters.look_for(what, who)
        return (self._by_what.get(what) if who is None else self._by_who.get((what, who))) or []

    def before(self, what: str) -> Timeline:
        """What was seen before the first such observation; all of it if there is none."""
        first = self.first(what)
        if first is None:
            return self
        return Timeline(self.header, takewhile(partial(is_not, first), self), sealed=self.sealed)

    def _clear(self) -> None:
        self._seen: list[Observation] = []
        self._by_what: dict[str, list[Observation]] = {}
        self._by_who: dict[tuple[str, str], list[Observation]] = {}

    def _add(self, seen: Observation) -> None:
        self._seen.append(seen)
        self._by_what.setdefault(seen.what, []).append(seen)
        self._by_who.setdefault((seen.what, seen.who), []).append(seen)

    def __iter__(self) -> Iterator[Observation]:
        self._waiters.look_for(*ANY)
        return islice(self._seen, len(self._seen))

    def __len__(self) -> int:
        self._waiters.look_for(*ANY)
        return len(self._seen)

    def to_jsonl(self) -> str:
        """A header line, a line an observation, and a last line that says the story was complete."""
        head = self.header
        lines: list[Mapping[str, Json]] = [
            {
                "hangup": SCHEMA,
                "scenario": head.scenario,
                "subject": head.subject,
                "backend": head.backend,
                "flavour": head.flavour,
            }
        ]
        lines += [
            {"at": seen.at, "source": seen.source, "what": seen.what, "who": seen.who, "detail": seen.detail}
            for seen in self
        ]
        if self._sealed:
            lines.append({"sealed": len(self)})
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)

    @classmethod
    def from_jsonl(cls, text: str) -> Timeline:
        """Read what to_jsonl() wrote.

        Raises:
            TimelineError: it is not a timeline, or a line of it is damaged. A missing last line is no
                error: that timeline is unsealed.
        """
        lines = text.removesuffix("\n").split("\n")  # splitlines() would also split at U+2028
        if not text:
            raise TimelineError("it is empty")
        head = object_of(lines[0], 1)
        if head.get("hangup") != SCHEMA:
            raise TimelineError(f"line 1 is not the header of a timeline with schema {SCHEMA}")
        header = Header(*(str(head.get(key, "")) for key in ("scenario", "subject", "backend", "flavour")))
        seen: list[Observation] = []
        sealed = False
        for number, line in enumerate(lines[1:], start=2):
            entry = object_of(line, number)
            if "sealed" in entry:
                sealed = entry["sealed"] == len(seen)
                break
            seen.append(observation_of(entry, number))
        return cls(header, seen, sealed=sealed)
