"""Orphan references: what still holds something of a connection that has ended, and by which path from a root."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any
from weakref import ref

from lab.witness.code import user_modules, waits_inside, where
from lab.witness.connections import Connection, Connections, living
from lab.witness.held import Held
from lab.witness.holder import holder
from lab.witness.queues import Left, Queue
from lab.witness.tasks import Timers
from lab.witness.walk import Path, Walk, Way

ENTRIES = 500
"""Up to so many open connections, their entries are looked for too: what a bystander must not lose."""

FEW = 1000
"""Up to so many connections, a full collection is cheap enough to be asked for."""

EVERYWHERE = (
    ("asyncio.selector_events", "_SelectorSocketTransport"),
    ("asyncio.proactor_events", "_ProactorSocketTransport"),
    ("uvicorn.server", "Server"),
    ("uvicorn.server", "ServerState"),
)
"""Types of the server and its loop that know every connection."""

Stray = tuple[asyncio.Task[Any], str]
"""A task born in a connection's context, and that connection."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made in connections' contexts: tasks that run, each with its connection, and queues."""

    tasks: list[Stray]
    queues: list[Left]


@dataclass(frozen=True, slots=True)
class Roots:
    """Where walks begin.

    Attributes:
        namespaces: those of the application's modules.
        names: the name of each, by its id.
        prune: types that lead everywhere.
    """

    namespaces: list[Any]
    names: dict[int, str]
    prune: frozenset[type]


def references(  # noqa: PLR0913, PLR0917  # whatever a census knows
    alive: list[Connection],
    dead: list[ref[Connection]],
    made: Made,
    timers: Timers,
    package: str,
    protocols: Collection[type],
    ways: list[Way],
) -> Iterator[Held]:
    """Paths to what is left of dead connections; and to the entries of living ones, if they are few.

    Args:
        ways: where the entries of living ones were at the last census, and afterwards where they are at this one.
    """
    modules = list(user_modules(package))
    names = {id(module.__dict__): module.__name__ for module in modules}
    roots = Roots([module.__dict__ for module in modules], names, everywhere(protocols))
    yield from _entries(alive, roots, ways)
    yield from _tasks(made.tasks, alive, roots, timers)
    few = len(alive) + len(dead) <= FEW
    if few and any(living(dead)):
        gc.collect()  # a cycle is garbage and no orphan; with 10,000 connections this takes half a second
    left = yield from _near(dead, roots, made.tasks, timers)
    yield from _queues(made, roots, timers, few=few)
    still = list(living(left))
    if still:
        yield from _far(still, alive, roots)


def _tasks(strays: list[Stray], alive: list[Connection], roots: Roots, timers: Timers) -> Iterator[Held]:
    """The tasks themselves, and which name of the application's holds each; the loop holds them all."""
    running = {one.name for one in alive}
    walk = Walk([(task, task) for task, name in strays if name not in running], prune=roots.prune)
    walk.search(roots.namespaces)
    for task, name in strays:
        path = walk.found.get(task)
        held = holder(path, roots.names) if path else ""
        yield Held("task", name, where(task), held, *timers.outlook(task), outside=not waits_inside(task))


def _queues(made: Made, roots: Roots, timers: Timers, *, few: bool) -> Iterator[Held]:
    """Queues of connections that are gone: subscribers nobody took off the list.

    What is kept under a key is a mailbox until we know better: whoever knows the key may come back for what was said
    meanwhile. If something is still to be done for the connection, that may be to put it away.
    """
    paths = _paths(made, roots)
    if few and len(paths) < len(made.queues):
        gc.collect()  # one in a cycle with its dead reader is nobody's any more
    awaited = {name for _, name in made.tasks} | (timers.awaited() if made.queues else set())
    for left in made.queues:
        path = paths.get(left.queue, ())
        said = type(path[-1]).__name__ if path else "", holder(path, roots.names) if path else ""
        if path and left.unread and not _is_keyed(path):
            yield Held("connection", left.name, *said)
        elif left.queue() is not None:
            yield Held("mailbox", left.name, *said, sure=bool(path) and left.unread and left.name not in awaited)


def _paths(made: Made, roots: Roots) -> dict[ref[Queue], Path]:
    """A path to each queue to which there is one from the application's modules."""
    queues = ((queue, left.queue) for left in made.queues if (queue := left.queue()) is not None)
    walk = Walk(queues, (task for task, _ in made.tasks), roots.prune)
    walk.search(roots.namespaces)
    return walk.found


def _is_keyed(path: Path) -> bool:
    """Whether the innermost container on the path is a dict: not a namespace of a module or an object."""
    for index in range(len(path) - 2, 0, -1):  # the first is a module's namespace
        one = path[index]
        if isinstance(one, set | frozenset | list | tuple | deque):
            return False
        if isinstance(one, dict) and getattr(path[index - 1], "__dict__", None) is not one:
            return True
    return False


def _near(
    dead: list[ref[Connection]], roots: Roots, strays: list[Stray], timers: Timers
) -> Generator[Held, None, list[ref[Connection]]]:
    """From the application's modules and the loop's timers; those held by a task or thread of their own say nothing.

    Returns:
        those for whom no path was found.
    """
    walk = Walk(_targets(living(dead)), (task for task, _ in strays), roots.prune)
    walk.search(roots.namespaces)
    yield from _found(walk, walk.found.keys(), roots.names)
    own = Walk(_targets(walk.left), prune=roots.prune)
    own.search(task for task, _ in strays)  # an orphan task is named; what hangs on it need not be
    own.search(_running())
    before = set(own.found)
    own.search(timers.handles if own.left else ())
    by_timer = {id(handle): handle for handle in timers.handles}
    for one in own.found.keys() - before:
        timer = by_timer[id(own.found[one][0])]
        yield Held("connection", one.name, "", "a timer of the loop", timers.left_ms(timer), last=timers.ends(timer))
    return [ref(one) for one in own.left]


def _far(left: list[Connection], alive: list[Connection], roots: Roots) -> Iterator[Held]:
    """From farther away: other tasks, behind other sockets, libraries. Whoever lives and has no path is a doubt.

    Whom only the handler of a living connection knows ends with that: a partner, or the user's last connection.
    """
    walk = Walk(_targets(left), prune=roots.prune)
    handlers = {one.handler for one in alive if one.handler is not None}
    tasks = [task for task in asyncio.all_tasks() if task not in handlers]
    names = roots.names | {id(task): f"task {where(task)}" for task in tasks}
    walk.search(tasks)
    walk.search(roots.namespaces, through=True)
    if walk.left:
        modules = [(name, module) for name, module in list(sys.modules.items()) if _foreign(name, module)]
        names |= {id(module.__dict__): name for name, module in modules}
        walk.search([module.__dict__ for _, module in modules])
    yield from _found(walk, walk.found.keys(), names)
    walk.search(handlers)
    for one in walk.left:
        yield Held("connection", one.name, "", "", sure=False)


def _entries(alive: list[Connection], roots: Roots, ways: list[Way]) -> Iterator[Held]:
    if len(alive) <= ENTRIES:
        walk = Walk(_targets(alive), prune=roots.prune)
        walk.follow(ways, roots.namespaces)
        walk.search(roots.namespaces)
        ways.clear()
        ways.extend(tuple(map(id, path)) for path in walk.found.values())
        yield from _found(walk, walk.found.keys(), roots.names)


def everywhere(protocols: Collection[type]) -> frozenset[type]:
    """The types that lead from one connection to all: a server's and its loop's, and ours."""
    known = {type(asyncio.get_running_loop()), Connection, Connections, *protocols}
    for module, name in EVERYWHERE:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type):
            known.add(found)
    return frozenset(known)


def _found(walk: Walk[Connection], which: Iterable[Connection], names: dict[int, str]) -> Iterator[Held]:
    for one in list(which):
        yield Held("connection", one.name, "", holder(walk.found[one], names))


def _targets(connections: Iterable[Connection]) -> Iterator[tuple[object, Connection]]:
    return ((one, one) for one in connections)


def _running() -> Iterator[object]:
    """The frames of all threads but this one: the collector does not see them."""
    for ident, innermost in sys._current_frames().items():
        frame: FrameType | None = innermost if ident != threading.get_ident() else None
        while frame is not None:
            yield frame
            frame = frame.f_back


def _foreign(name: str, module: Any) -> bool:
    return hasattr(module, "__dict__") and not (name == "lab" or name.startswith("lab.") or name == "__main__")
