"""What is under way in a server that looks idle: tasks that wait for something outside, and threads at work.

Before a clock is moved these are waited for in real time, since what they wait for may come any moment: a timeout that
ran out meanwhile would be the lab's doing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary, ref

from lab.witness.clock import Clock
from lab.witness.code import frames_of, is_ours, telling, waits_inside
from lab.witness.compat import asyncio_, threading_
from lab.witness.places import is_the_labs
from lab.witness.threads import Threads


class Underway:
    """Knows what waits for something outside all the time, and what has been waited for in vain."""

    def __init__(self, clock: Clock, threads: Threads) -> None:
        self.clock, self.threads = clock, threads
        self._standing: WeakKeyDictionary[asyncio.Task[Any], object] = WeakKeyDictionary()
        self._inside: WeakKeyDictionary[asyncio.Task[Any], tuple[ref[object], bool]] = WeakKeyDictionary()
        self._in_flight = 0
        self._long: set[object] = set()

    def stand(self, loop: asyncio.AbstractEventLoop) -> None:
        """Whoever waits for something outside now does so when this server is at rest: there nobody waits for it."""
        waiting = (task for task in asyncio.all_tasks(loop) if not waits_inside(task))
        self._standing = WeakKeyDictionary({task: _place(task) for task in waiting})
        self.stand_pool()

    def stand_pool(self) -> None:
        """The work that pools have now is not waited for."""
        self._in_flight = self.threads.in_flight

    @property
    def standing(self) -> int:
        """How many tasks wait for something outside all the time: of what is on its way to them nobody knows here."""
        return sum(not task.done() for task in self._standing)

    def outside(self, loop: asyncio.AbstractEventLoop) -> Iterator[tuple[object, object]]:
        """What waits for something outside the loop, each with where it stands: it may go on in real time."""
        if asyncio_.may_be_woken_from_outside(loop) or any(self._others_at_work()):
            yield from self._waiting(loop)
        busy = sum(key in self._long for key, _ in self.at_work(every=True))
        if (left := self.threads.in_flight) > self._in_flight + busy:
            yield "pool", left

    def _others_at_work(self) -> Iterator[int]:
        """Threads that neither are the lab's nor wait for another thread: whatever they do may wake the loop."""
        sleeping = self.clock.sleepers()
        for ident, frame in threading_.frames().items():
            resting = ident in sleeping or threading_.is_idle(frame) or is_the_labs(frame.f_code.co_filename)
            if ident != threading.get_ident() and not resting:
                yield ident

    def _waiting(self, loop: asyncio.AbstractEventLoop) -> Iterator[tuple[object, object]]:
        timed = {id(woken) for one in asyncio_.timers(loop) for woken in asyncio_.woken_by(one)}
        for task in asyncio.all_tasks(loop):
            if id(waiter := asyncio_.waits_for(task)) in timed or self._waits_inside(task, waiter):
                continue
            if self._standing.get(task) != (place := _place(task)):
                frames = telling(task.get_coro()) or list(frames_of(task.get_coro()))
                if frames and (key := (frames[0].f_code, frames[-1].f_lineno)) not in self._long:
                    yield key, place

    def _waits_inside(self, task: asyncio.Task[Any], waiter: object) -> bool:
        """As waits_inside; asked once for as long as a task waits for the same future."""
        known = self._inside.get(task)
        if known is not None and waiter is not None and known[0]() is waiter:
            return known[1]
        found = waits_inside(task)
        if waiter is not None:
            self._inside[task] = ref(waiter), found
        return found

    def at_work(self, *, every: bool = False) -> Iterator[tuple[object, object]]:
        """Threads in the application's code that neither sleep nor wait with a timeout, and where they stand.

        Args:
            every: also those of which it is known that they stand there for long.
        """
        sleeping = self.clock.sleepers()
        for ident, frame in threading_.frames().items():
            if ident in sleeping or ident == threading.get_ident():
                continue
            here: Any = frame
            while here is not None and not is_ours(here.f_code.co_filename):
                here = here.f_back
            if here is not None and (every or (here.f_code, here.f_lineno) not in self._long):
                yield (here.f_code, here.f_lineno), (ident, id(frame), frame.f_lasti)

    def forget(self, keys: set[object]) -> None:
        """Nobody waits for these any more."""
        self._long |= keys


def _place(task: asyncio.Task[Any]) -> object:
    """Where a task stands, so that it can be told whether it has gone on."""
    return tuple((id(frame.f_code), frame.f_lasti) for frame in frames_of(task.get_coro()))
