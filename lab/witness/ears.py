"""How a server hears: orders on its standard input, read by a thread of their own."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import astuple

from lab.actors import hearing
from lab.actors.voice import observe
from lab.witness.census import Held, Rows, take
from lab.witness.connections import Connections
from lab.witness.tasks import Tasks
from lab.witness.wire import Wires


class Ears:
    """Answers `clock` at once and `census` from the event loop.

    Args:
        leave_on_eof: end the process when the order channel closes: whoever ran us is gone.
    """

    def __init__(
        self,
        connections: Connections,
        tasks: Tasks,
        wires: Wires,
        entries: Callable[[], Iterator[Held]],
        rows: Rows | None,
        *,
        leave_on_eof: bool,
    ) -> None:
        self.connections, self.tasks, self.wires = connections, tasks, wires
        self.entries, self.rows = entries, rows
        self.leave_on_eof = leave_on_eof

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start listening, for as long as the process lives."""
        threading.Thread(target=self._listen, args=(loop,), name="hangup-ears", daemon=True).start()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        for order in hearing.orders():
            if order["do"] == "idle":
                self._await_idle(loop)
            elif order["do"] == "clock":
                observe("clocked", ask=order["ask"])
            elif order["do"] == "census":
                self._census(loop, order["ask"])
        if self.leave_on_eof:
            os._exit(0)

    def _await_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say so when no connection is open any more: now, or when the last one has ended."""

        def look() -> None:
            if self.connections.running or self.wires.open:
                loop.call_later(0.01, look)
            else:
                observe("idle")

        loop.call_soon_threadsafe(look)

    def _census(self, loop: asyncio.AbstractEventLoop, ask: int) -> None:
        error = ""
        rows: list[Held] = []
        try:
            rows = list(self.rows.open()) if self.rows else []
        except sqlite3.Error as raised:
            error = f"rows: {raised}"

        def answer() -> None:
            held = [*rows, *take(self.connections, self.tasks, self.entries)]
            observe("counted", ask=ask, held=[astuple(item) for item in held], silent=self.wires.silent(), error=error)

        loop.call_soon_threadsafe(answer)
