"""The census: what this process holds for each connection, right now. It asks nobody and keeps nothing alive."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from lab.witness.code import frames_of, is_ours, waits_inside, where
from lab.witness.connections import Connection, Connections, living
from lab.witness.held import Held
from lab.witness.orphans import ENTRIES, Made, references
from lab.witness.queues import Queues
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
    """Counts handlers, tasks, threads, queues and references; on the event loop, so that nothing moves meanwhile.

    Args:
        package: the application's top-level package, whose modules are its own even if it is installed.
        protocols: types of the server that lead from one connection to all.
    """

    def __init__(
        self,
        connections: Connections,
        tasks: Tasks,
        threads: Threads,
        queues: Queues,
        package: str = "",
        protocols: Collection[type] = (),
    ) -> None:
        self.connections, self.tasks, self.threads, self.queues = connections, tasks, threads, queues
        self.package, self.protocols = package, protocols
        self._called: Counter[tuple[str, str]] = Counter()
        self._ways: list[Way] = []

    def hurry(
        self,
        loop: asyncio.AbstractEventLoop,
        gone: frozenset[str],
        longest_ms: float,
        *,
        timeouts: bool,
        services: bool = False,
    ) -> int:
        """Bring forward the timers, of up to so many ms, that tasks and handlers of those connections wait for.

        Args:
            timeouts: timeouts too.
            services: the sleeps of the application's own tasks, too: one may sweep what the dead have left.
        """
        timers = Timers(loop, self._called)
        tasks = [task for task, name in self.tasks.alive() if name in gone]
        handlers = [one.handler for one in self.connections.running if one.name in gone]
        moved = sum(
            timers.bring_forward(task, longest_ms, timeouts=timeouts)
            for task in (*tasks, *handlers)
            if task is not None
        )
        if services:
            moved += sum(timers.bring_forward(task, longest_ms, timeouts=False) for task in self._services(loop))
        return moved + timers.bring_callbacks_forward(gone, longest_ms)

    def _services(self, loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Task[object]]:
        """Tasks that run the application's code, and no connection's."""
        theirs = {task for task, _ in self.tasks.alive()} | {one.handler for one in self.connections.running}
        for task in asyncio.all_tasks(loop) - theirs:
            if any(is_ours(frame.f_code.co_filename) for frame in frames_of(task.get_coro())):
                yield task

    def take(self, loop: asyncio.AbstractEventLoop) -> list[Held]:
        """Everything but rows. No garbage is collected meanwhile, which could take half a second."""
        collects = gc.isenabled()
        gc.disable()
        try:
            return self._take(loop)
        finally:
            if collects:
                gc.enable()

    def _take(self, loop: asyncio.AbstractEventLoop) -> list[Held]:
        timers = Timers(loop, self._called)
        running, left = self.connections.running, self.connections.left
        strays = list(self.tasks.alive())
        held = [_handler(one, timers if len(running) <= ENTRIES else None) for one in running]
        held += [Held("task", name, runs) for name, runs in self.threads.alive()]
        names = [{one.name for one in some} for some in (running, living(left))]
        made = Made(strays, list(self.queues.left(*names)))
        held += references(running, left, made, timers, self.package, self.protocols, self._ways)
        return held


def _handler(one: Connection, timers: Timers | None) -> Held:
    """A handler; where it waits only if somebody may read it: of thousands nobody does."""
    task = one.handler
    if task is None or timers is None:
        return Held("handler", one.name)
    return Held("handler", one.name, where(task), "", *timers.outlook(task), outside=not waits_inside(task))
