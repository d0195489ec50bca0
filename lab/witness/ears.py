"""How a server hears: orders on its standard input, read by a thread of their own."""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.actors import hearing
from lab.actors.voice import observe, say_notes
from lab.clock import now
from lab.witness.census import Census, Rows
from lab.witness.code import is_busy, stands
from lab.witness.compat import threading_
from lab.witness.died import at_line
from lab.witness.held import Held
from lab.witness.mover import Moved, Mover
from lab.witness.survey import Size, Survey
from lab.witness.wire import Wires

FROZEN_SECONDS = 1.0
"""A loop that has not turned for so long is frozen: that is a finding, and no reason to wait for it."""

LOOKS = 5
"""How often it is looked at meanwhile; each time it must be in the application's code."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A census as it was taken on the loop.

    Attributes:
        held: what was held.
        sizes: what differs from the first survey; None if no survey was asked for.
        error: what it failed of, if it failed.
        began, at: when it began and when it was done, on the process's clock.
    """

    held: list[Held]
    sizes: list[Size] | None
    error: str
    began: float
    at: float


class Ears:
    """Answers `clock` at once and `census` from the event loop; says so if the loop does not turn.

    Args:
        leave_on_eof: end the process when the order channel closes: whoever ran us is gone.
    """

    def __init__(
        self, census: Census, survey: Survey, mover: Mover, wires: Wires, rows: Rows | None, *, leave_on_eof: bool
    ) -> None:
        self.census, self.survey, self.mover, self.wires, self.rows = census, survey, mover, wires, rows
        self.leave_on_eof = leave_on_eof

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start listening, for as long as the process lives."""
        turning = threading.get_ident()
        threading.Thread(target=self._listen, args=(loop, turning), name="hangup-ears", daemon=True).start()

    def _listen(self, loop: asyncio.AbstractEventLoop, turning: int) -> None:
        for order in hearing.orders():
            say_notes()  # the loop may not turn
            if order["do"] == "idle":
                self._await_idle(loop)
            elif order["do"] == "clock":
                observe("clocked", ask=order["ask"])
            elif order["do"] == "census":
                self._census(loop, turning, order["ask"], sizes=order.get("sizes") is True)
            elif order["do"] == "move":
                self._move(loop, order)
        if self.leave_on_eof:
            os._exit(0)

    def _await_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say so when no connection is open any more: now, or when the last one has ended."""

        def look() -> None:
            if self.census.connections.running or self.wires.open:
                loop.call_later(0.01, look)
            else:
                observe("idle")

        loop.call_soon_threadsafe(look)

    def _move(self, loop: asyncio.AbstractEventLoop, order: dict[str, Any]) -> None:
        """Move the clock on, or wait until the server is at rest; see Mover."""

        def done(moved: Moved) -> None:
            standing = self.mover.underway.standing
            observe(
                "rested", ask=order["ask"], moved_ms=moved.moved_ms, steps=moved.steps, why=moved.why, standing=standing
            )

        gone = frozenset(order["gone"])
        loop.call_soon_threadsafe(self.mover.move, loop, order["seconds"], gone, done)

    def _census(self, loop: asyncio.AbstractEventLoop, turning: int, ask: int, *, sizes: bool) -> None:
        error = ""
        rows: list[Held] = []
        try:
            rows = list(self.rows.open()) if self.rows else []
        except sqlite3.Error as raised:
            error = f"rows: {raised}"
        taken: queue.SimpleQueue[Counted] = queue.SimpleQueue()
        frozen = threading.Event()

        def tell(counted: Counted) -> None:
            took = round((counted.at - counted.began) * 1000, 3)
            held, silent = [*rows, *counted.held], self.wires.silent(counted.at)
            if counted.sizes is not None:
                observe("surveyed", ask=ask, sizes=counted.sizes, at=counted.at)
            why = error or counted.error
            observe("counted", ask=ask, held=held, silent=silent, error=why, took_ms=took, at=counted.at)

        def count() -> None:
            taken.put(self._count(loop, sizes=sizes))
            if frozen.is_set():  # nobody waits for it any more
                _each(taken, tell)

        loop.call_soon_threadsafe(count)
        counted = self._await(taken, turning)
        if counted is not None:
            tell(counted)  # here, and not on the loop: of thousands it takes time
            return
        where = stands(threading_.frames().get(turning))
        observe("frozen", ask=ask, where=where, ms=FROZEN_SECONDS * 1000)
        frozen.set()
        _each(taken, tell)

    def _count(self, loop: asyncio.AbstractEventLoop, *, sizes: bool) -> Counted:
        """On the loop. What the application holds may answer anything, or raise: then this says so, and goes on."""
        before = now()
        try:
            found = self.survey.take(loop) if sizes else None
            if sizes and not found:
                self.mover.underway.stand(loop)
            return Counted(self.census.take(loop, entries=not sizes), found, "", before, now())
        except Exception as raised:
            return Counted([], None, f"{type(raised).__name__} at {at_line(raised.__traceback__)}", before, now())

    def _await(self, taken: queue.SimpleQueue[Counted], turning: int) -> Counted | None:
        """The census; None if the loop does not turn and it is the application that keeps it: not a busy machine."""
        kept = 0
        while kept < LOOKS:
            try:
                return taken.get(timeout=FROZEN_SECONDS / LOOKS)
            except queue.Empty:
                kept = kept + 1 if is_busy(threading_.frames().get(turning)) else 0
        return None


def _each(taken: queue.SimpleQueue[Counted], tell: Callable[[Counted], None]) -> None:
    while True:
        try:
            tell(taken.get_nowait())
        except queue.Empty:
            return
