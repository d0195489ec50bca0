"""Moves the server's clock on, from timer to timer, and lets all that becomes ready run before the next.

Real work is waited for in real time: before each move the event loop must have nothing to do, no client that lives may
owe the answer to a ping or to a Close frame, and nothing that came up since may wait for a database or a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from lab.actors.voice import observe
from lab.clock import now
from lab.witness.clock import Clock
from lab.witness.compat import asyncio_
from lab.witness.threads import Threads
from lab.witness.underway import Underway
from lab.witness.wire import Wires

QUIET_TURNS = 3
"""The loop is idle if it had nothing else to run for so many turns: what one callback sets off, the next turn runs."""

BUSY_SECONDS = 3.0
"""Something that is never idle, such as a loop over sleep(0), is not waited for any longer, and from then on hardly."""

RESTLESS_SECONDS = 0.01

LOOK_SECONDS = 0.002
SPIN_SECONDS = 0.002
"""A pong comes in a third of a millisecond (measured), and a timer of the loop takes one at the least."""

OWING_SECONDS = 5.0
"""How long a client that lives may take to answer a ping: a busy machine's time, not the server's."""

OUTSIDE_SECONDS = 3.0
"""How long something that waits for a database or another server is waited for if nothing changes meanwhile."""

THREAD_SECONDS = 0.3
"""The same for a thread that stands where it stands."""

THREADS_SECONDS = 1.0
"""The deadlines of threads are let come together within a second: to wake one takes longer than a timer of the loop."""

FINEST_SECONDS = 0.05
"""Timers that are nearer to each other are let come together."""

STEPS = 400
"""About so many moves at the most, however far it goes: over an hour, timers within nine seconds come together."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of it.

    Attributes:
        moved_ms: by how much the clock is ahead now.
        steps: how many moves it took.
        why: why it was given up, or "".
    """

    moved_ms: float
    steps: int
    why: str


class Mover:
    """Moves one clock. One order at a time.

    Attributes:
        underway: what may go on in real time.
        main: the server's own task, which looks ten times a second whether it is to stop: nobody else waits for that.
        restless: whether its loop is never idle.
    """

    def __init__(self, clock: Clock, wires: Wires, threads: Threads) -> None:
        self.clock, self.wires = clock, wires
        self.main: asyncio.Task[Any] | None = None
        self.underway = Underway(clock, threads)
        self._nobodys = Context()
        self.restless = False

    def move(
        self, loop: asyncio.AbstractEventLoop, seconds: float, gone: frozenset[str], done: Callable[[Moved], None]
    ) -> None:
        """Move the clock on by so many seconds; with 0, only wait until the server is at rest.

        Args:
            gone: connections whose client cannot answer any more.
            done: told what came of it, on the loop.
        """
        _Move(self, loop, seconds, gone, done).soon()


class _Move:
    """One order. A chain of callbacks, in nobody's context."""

    def __init__(
        self,
        mover: Mover,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
        gone: frozenset[str],
        done: Callable[[Moved], None],
    ) -> None:
        self.mover, self.loop, self.gone, self.done = mover, loop, gone, done
        self.end = loop.time() + seconds
        self.finest = max(FINEST_SECONDS, seconds / STEPS)
        self.steps, self.said = 0, mover.clock.moved
        self._quiet, self._since = 0, now()
        self._stood: object = None
        self._own: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        self.loop.call_soon(self._turn, context=self.mover._nobodys)

    def _later(self) -> None:
        self._own = self.loop.call_later(LOOK_SECONDS, self._turn, context=self.mover._nobodys)

    def _turn(self) -> None:
        """One turn of the loop. If it cannot be understood, that is the answer: the lab waits for one."""
        try:
            self._look()
        except Exception as error:
            self._finish(f"{type(error).__name__}: {error}")

    def _look(self) -> None:
        """Is it idle, is anything on its way, and what is the next timer?"""
        if asyncio_.ready(self.loop) and not self._is_restless():
            self._quiet = 0
            self.soon()
        elif self._quiet < QUIET_TURNS:
            self._quiet += 1
            self.soon()
        elif self.mover.wires.owing(self.gone):
            if now() - self._since > OWING_SECONDS:
                self._finish("owing")
            elif now() - self._since < SPIN_SECONDS:
                self.soon()
            else:
                self._later()
        elif self._waits():
            self._later()
        elif self.loop.time() >= self.end:
            self._finish("")
        else:
            self._move()

    def _is_restless(self) -> bool:
        """Whether the loop has been busy for longer than anybody's work takes."""
        restless = now() - self._since >= (RESTLESS_SECONDS if self.mover.restless else BUSY_SECONDS)
        self.mover.restless = self.mover.restless or restless
        return restless

    def _move(self) -> None:
        clock, at = self.mover.clock, self.loop.time()
        due = max(min(self._next(), self.end), min(at + self.finest, self.end))
        clock.move(max(0.0, due - at) + 1e-6)
        self.steps += 1
        if clock.moved - self.said >= max(1.0, 100 * self.finest):
            self._say()
        self._quiet, self._since, self._stood = 0, now(), None
        self.soon()

    def _say(self) -> None:
        self.said = self.mover.clock.moved
        observe("moved", ms=round(self.said * 1000, 3))

    def _finish(self, why: str) -> None:
        self._say()
        self.done(Moved(round(self.mover.clock.moved * 1000, 3), self.steps, why))

    def _next(self) -> float:
        """When the next timer fires, or thread goes on, that is not the server's own tick."""
        tick = asyncio_.waits_for(self.mover.main) if self.mover.main is not None else None
        timers = (
            one.when()
            for one in asyncio_.timers(self.loop)
            if one is not self._own and not (tick is not None and tick in asyncio_.args_of(one))
        )
        threads = (max(one, self.loop.time() + THREADS_SECONDS) for one in self.mover.clock.deadlines())
        return min((*timers, *threads), default=self.end)

    def _waits(self) -> bool:
        """Whether something is on its way from outside; not for ever, if it stands still."""
        outside, threads = dict(self.mover.underway.outside(self.loop)), dict(self.mover.underway.at_work())
        if not outside and not threads:
            return False
        stands = (tuple(outside.values()), tuple(threads.values()))
        if stands != self._stood:
            self._stood, self._since = stands, now()
        still = now() - self._since
        if threads and still > (OUTSIDE_SECONDS if "pool" in outside else THREAD_SECONDS):
            self.mover.underway.forget(set(threads))
        elif outside and still > OUTSIDE_SECONDS:
            self.mover.underway.forget(set(outside) - {"pool"})
            if "pool" in outside:
                self.mover.underway.stand_pool()
        return True
