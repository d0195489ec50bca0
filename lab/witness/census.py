"""The census: what this process holds for each connection, right now. It asks nobody and keeps nothing alive."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from lab.witness.code import user_modules, where
from lab.witness.connections import Connection, Connections
from lab.witness.holder import holder
from lab.witness.tasks import Tasks, Timers
from lab.witness.threads import Threads
from lab.witness.walk import Walk

ENTRIES = 500
"""Up to so many open connections, their entries are looked for too: what a bystander must not lose."""


Stray = tuple[asyncio.Task[Any], str]
"""A task born in a connection's context, and that connection."""

Roots = tuple[list[Any], dict[int, str]]
"""The namespaces of the application's modules, and the name of each by its id."""

FEW = 1000
"""Up to so many connections, a full collection is cheap enough to be asked for."""


@dataclass(frozen=True, slots=True)
class Held:
    """One thing the server holds.

    Attributes:
        kind: connection, handler, task or row.
        who: the connection it is held for; for a row, the user.
        evidence: what was seen, as far as it can be said in a few words.
        holder: what holds it; "" where nobody could be found, or nobody was looked for.
        wakes_ms: milliseconds until a timer wakes it; -1 if none does.
        last: whether it then ends by itself, being in no loop.
        sure: whether a path proves that it is held.
    """

    kind: str
    who: str
    evidence: str = ""
    holder: str = ""
    wakes_ms: float = -1.0
    last: bool = False
    sure: bool = True


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
    """Counts handlers, tasks, threads and references; on the event loop, so that nothing moves meanwhile.

    Args:
        package: the application's top-level package, whose modules are its own even if it is installed.
    """

    def __init__(self, connections: Connections, tasks: Tasks, threads: Threads, package: str = "") -> None:
        self.connections, self.tasks, self.threads = connections, tasks, threads
        self.package = package

    def hurry(self, loop: asyncio.AbstractEventLoop, gone: frozenset[str]) -> int:
        """Bring forward the timers that tasks and handlers of those connections sleep on; how many."""
        timers = Timers(loop)
        tasks = [task for task, name in self.tasks.alive() if name in gone]
        handlers = [one.handler() for one in self.connections.running if one.handler and one.name in gone]
        return sum(timers.bring_forward(task) for task in (*tasks, *handlers) if task is not None)

    def take(self, loop: asyncio.AbstractEventLoop) -> list[Held]:
        """Everything but rows."""
        timers = Timers(loop)
        known = list(self.connections.known)
        strays = list(self.tasks.alive())
        held = [_handler(one, timers) for one in known if not one.returned]
        held += [Held("task", name, runs) for name, runs in self.threads.alive()]
        held += self._references(known, strays, timers)
        return held

    def _references(self, known: list[Connection], strays: list[Stray], timers: Timers) -> Iterator[Held]:
        """Paths to what is left of dead connections; and to the entries of living ones, if they are few."""
        dead = [one for one in known if one.returned]
        alive = [one for one in known if not one.returned]
        names = {id(module.__dict__): module.__name__ for module in user_modules(self.package)}
        namespaces: list[Any] = [module.__dict__ for module in user_modules(self.package)]
        yield from _entries(alive, namespaces, names)
        yield from _tasks(strays, alive, (namespaces, names), timers)
        left = yield from _near(dead, alive, (namespaces, names), strays, timers)
        if left and len(known) <= FEW:
            gc.collect()  # a cycle is garbage and no orphan; with 10,000 connections this takes half a second
        left = [one for one in left if _lives(one)]
        if left:
            yield from _far(left, alive, namespaces, names)


def _tasks(strays: list[Stray], alive: list[Connection], roots: Roots, timers: Timers) -> Iterator[Held]:
    """The tasks themselves, and which name of the application's holds each; the loop holds them all."""
    running = {one.name for one in alive}
    walk = Walk([(task, task) for task, name in strays if name not in running], barriers=_given(alive))
    walk.search(roots[0])
    for task, name in strays:
        path = walk.found.get(task)
        yield Held("task", name, where(task), holder(path, roots[1]) if path else "", *timers.outlook(task))


def _near(
    dead: list[Connection], alive: list[Connection], roots: Roots, strays: list[Stray], timers: Timers
) -> Generator[Held, None, list[Connection]]:
    """From the application's modules and the loop's timers; those held by a task or thread of their own say nothing.

    Returns:
        those for whom no path was found.
    """
    walk = Walk(_targets(dead), barriers=[*_given(alive), *(task for task, _ in strays)])
    walk.search(roots[0])
    yield from _found(walk, walk.found.keys(), roots[1])
    own = Walk(_targets([one for one in dead if one in walk.left]), barriers=_given(alive))
    own.search(task for task, _ in strays)  # an orphan task is named; what hangs on it need not be
    own.search(_running())
    for handle in timers.handles if own.left else ():
        before = set(own.found)
        own.search((handle,))
        for one in own.found.keys() - before:
            yield Held("connection", one.name, "", "a timer of the loop", timers.left_ms(handle), last=True)
    return list(own.left)


def _far(
    left: list[Connection], alive: list[Connection], namespaces: list[Any], names: dict[int, str]
) -> Iterator[Held]:
    """From farther away: other tasks, behind other sockets, libraries. Whoever lives and has no path is a doubt."""
    walk = Walk(_targets(left), barriers=_given(alive))
    tasks = list(asyncio.all_tasks())
    names |= {id(task): f"task {where(task)}" for task in tasks}
    walk.search(tasks)
    walk.search(namespaces, through=True)
    if walk.left:
        modules = [(name, module) for name, module in list(sys.modules.items()) if _foreign(name, module)]
        names |= {id(module.__dict__): name for name, module in modules}
        walk.search([module.__dict__ for _, module in modules])
    yield from _found(walk, walk.found.keys(), names)
    for one in walk.left:
        yield Held("connection", one.name, "", "", sure=False)


def _handler(one: Connection, timers: Timers) -> Held:
    task = one.handler() if one.handler else None
    if task is None:
        return Held("handler", one.name)
    return Held("handler", one.name, where(task), "", *timers.outlook(task))


def _entries(alive: list[Connection], namespaces: list[Any], names: dict[int, str]) -> Iterator[Held]:
    if len(alive) <= ENTRIES:
        walk = Walk(_targets(alive))
        walk.search(namespaces)
        yield from _found(walk, walk.found.keys(), names)


def _found(walk: Walk[Connection], which: Iterable[Connection], names: dict[int, str]) -> Iterator[Held]:
    for one in list(which):
        yield Held("connection", one.name, "", holder(walk.found[one], names))


def _lives(one: Connection) -> bool:
    return any(True for _ in one.given())


def _targets(connections: Iterable[Connection]) -> Iterator[tuple[object, Connection]]:
    for one in connections:
        for thing in one.given():
            yield thing, one


def _given(connections: Iterable[Connection]) -> Iterator[object]:
    for one in connections:
        yield from one.given()


def _running() -> Iterator[object]:
    """The frames of all threads but this one: the collector does not see them."""
    for ident, innermost in sys._current_frames().items():
        frame: FrameType | None = innermost if ident != threading.get_ident() else None
        while frame is not None:
            yield frame
            frame = frame.f_back


def _foreign(name: str, module: Any) -> bool:
    return hasattr(module, "__dict__") and not (name == "lab" or name.startswith("lab.") or name == "__main__")
