"""The census: what this process holds for each connection, right now. It asks nobody and keeps nothing alive."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from lab.witness.code import where
from lab.witness.connections import Connection, Connections
from lab.witness.held import Held
from lab.witness.orphans import ENTRIES, Stray, references
from lab.witness.roots import Roots
from lab.witness.tasks import Tasks, Timers
from lab.witness.threads import Threads
from lab.witness.walk import Way


class Rows:
    """Reads open rows straight from an SQLite file, beside the application.

    Args:
        database: the file. It may not exist yet: then there are no rows.
        sql: a query whose first column says whose each open row is.
    """

    def __init__(self, database: Path, sql: str) -> None:
        self.database = database
        self.sql = sql

    def open(self) -> Iterator[Held]:
        """The open rows. Errors of the database are the caller's to report."""
        if not self.database.exists():
            return
        connection = sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True, timeout=1.0)
        try:
            for (who,) in connection.execute(self.sql):
                yield Held("row", str(who))
        finally:
            connection.close()


class Census:
    """Counts handlers, tasks, threads and references; on the event loop, so that nothing moves meanwhile."""

    def __init__(self, connections: Connections, tasks: Tasks, threads: Threads, roots: Roots) -> None:
        self.connections, self.tasks, self.threads, self.roots = connections, tasks, threads, roots
        self._ways: list[Way] = []

    def take(self, loop: asyncio.AbstractEventLoop, *, entries: bool = True) -> list[Held]:
        """Everything but rows. No garbage is collected meanwhile, which could take half a second.

        Args:
            entries: look for what is kept of the living, too.
        """
        collects = gc.isenabled()
        gc.disable()
        try:
            return self._take(loop, entries=entries)
        finally:
            if collects:
                gc.enable()

    def _take(self, loop: asyncio.AbstractEventLoop, *, entries: bool) -> list[Held]:
        timers = Timers(loop)
        running, left = self.connections.running, self.connections.left
        held = [_handler(one, timers if len(running) <= ENTRIES else None) for one in running]
        held += [Held("task", name, runs) for name, runs in self.threads.alive()]
        held += references(running, left, self._strays(running), timers, self.roots, self._ways if entries else None)
        return held

    def _strays(self, running: list[Connection]) -> list[Stray]:
        """The tasks born in connections' contexts. With each, whether its connection's handler still runs."""
        names = {one.name for one in running}
        return [Stray(task, name, self.tasks.made(task), name in names) for task, name in self.tasks.alive()]


def _handler(one: Connection, timers: Timers | None) -> Held:
    """A handler; where it waits only if somebody may read it: of thousands nobody does."""
    task = one.handler
    if task is None or timers is None:
        return Held("handler", one.name)
    return Held("handler", one.name, where(task), "", timers.wakes_ms(task))
