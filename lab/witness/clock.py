"""The server's clock, which can be moved: what its application waits for comes at once, while its sockets stay real.

`time.monotonic`, `time.perf_counter` and the event loop's clock, which reads the first, are moved by replacing the
functions, wherever a module has copied them; `time.time`, `datetime.now` and their like by time-machine. Threads that
sleep, or wait for an event with a timeout, are moved along. Not moved: a C extension's own clock, other processes.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import time_machine

from lab.clock import now

REAL_SLEEP = time.sleep
SLICE_SECONDS = 0.01
"""How often a thread that waits with a timeout looks whether the clock was moved."""

Reading = Callable[..., Any]


class Clock:
    """One offset for all clocks of the process.

    Attributes:
        moved: seconds by which they are ahead of the machine's.
    """

    def __init__(self) -> None:
        self.moved = 0.0
        self._wall: time_machine.Traveller | None = None
        self._turned = threading.Condition(threading.Lock())
        self._waiting: dict[int, float] = {}

    def install(self) -> None:
        """From now on the process reads these clocks, whichever name it knows them by."""
        wait = threading.Condition.wait
        replaced: dict[int, Reading] = {
            id(old): new
            for old, new in (
                (time.monotonic, self._ahead(time.monotonic)),
                (time.perf_counter, self._ahead(time.perf_counter)),
                (time.monotonic_ns, self._ahead(time.monotonic_ns, 1_000_000_000)),
                (time.perf_counter_ns, self._ahead(time.perf_counter_ns, 1_000_000_000)),
                (time.sleep, self._sleep),
            )
        }
        for names, name in find_copies():
            names[name] = replaced.get(id(names.get(name)), names.get(name))
        threading.Condition.wait = self._waiting_for(wait)  # type: ignore[method-assign]  # there is no hook

    def read(self) -> float:
        """The moved monotonic clock, in seconds."""
        return now() + self.moved

    def move(self, seconds: float) -> None:
        """Move all clocks on."""
        if self._wall is None:
            self._wall = time_machine.travel(time.time(), tick=True).start()
        self.moved += seconds
        self._wall.shift(seconds)
        with self._turned:
            self._turned.notify_all()

    def sleepers(self) -> set[int]:
        """The threads that sleep, or wait with a timeout."""
        return set(self._waiting)

    def deadlines(self) -> list[float]:
        """When, by this clock, each thread that sleeps or waits with a timeout will go on."""
        return list(self._waiting.values())

    def _ahead(self, reading: Reading, unit: int = 1) -> Reading:
        ahead = _Ahead(self, reading, unit)
        return ahead.seconds if unit == 1 else ahead.units

    @contextmanager
    def _until(self, end: float) -> Iterator[None]:
        me = threading.get_ident()
        self._waiting[me] = end
        try:
            yield
        finally:
            self._waiting.pop(me, None)

    def _sleep(self, seconds: float) -> None:
        """As time.sleep, by this clock."""
        if not seconds > 0:
            REAL_SLEEP(seconds)
            return
        end = self.read() + seconds
        with self._until(end):
            while (left := end - self.read()) > 0:
                with self._turned:
                    if (left := end - self.read()) > 0:
                        _REAL_WAIT(self._turned, left)

    def _waiting_for(self, wait: Callable[..., bool]) -> Callable[..., bool]:
        """As Condition.wait, by this clock. The lock is held between two slices, so no notification is missed."""

        def waiting(condition: threading.Condition, timeout: float | None = None) -> bool:
            if timeout is None or timeout <= 0:
                return wait(condition, timeout)
            end = self.read() + timeout
            with self._until(end):
                while (left := end - self.read()) > 0:
                    if wait(condition, min(left, SLICE_SECONDS)):
                        return True
            return False

        return waiting


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A reading of the moved clock. Its methods are bound: a class that keeps one as its attribute can call it."""

    clock: Clock
    reading: Callable[[], Any]
    unit: int

    def seconds(self) -> float:
        moved: float = self.reading() + self.clock.moved
        return moved

    def units(self) -> int:
        moved: int = self.reading() + round(self.clock.moved * self.unit)
        return moved


_REAL_WAIT = threading.Condition.wait

READINGS = (time.monotonic, time.perf_counter, time.monotonic_ns, time.perf_counter_ns, time.sleep)


@cache
def find_copies() -> tuple[tuple[dict[str, Any], str], ...]:
    """The names by which modules that are imported know these functions; asked once, by a fork server before it forks.

    Modules that are imported later copy what they find in `time`.
    """
    wanted = set(map(id, READINGS))
    spaces = (module.__dict__ for module in list(sys.modules.values()) if _is_moved(module))
    return tuple((names, name) for names in spaces for name, value in list(names.items()) if id(value) in wanted)


def _is_moved(module: ModuleType) -> bool:
    """Whether a module reads the moved clock: not the lab's own, which measure real time."""
    name = getattr(module, "__name__", "")
    is_ours = name == "lab" or (name.startswith("lab.") and not name.startswith("lab.servers."))
    return not is_ours and isinstance(getattr(module, "__dict__", None), dict)
