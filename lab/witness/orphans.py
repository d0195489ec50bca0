"""Orphan references: what still holds something of a connection that has ended, and by which path from a root."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple
from weakref import ref

from lab.witness.code import where
from lab.witness.compat import threading_
from lab.witness.connections import Connection, living
from lab.witness.held import Held
from lab.witness.holder import holder
from lab.witness.plainly import part
from lab.witness.roots import Roots
from lab.witness.tasks import Timers
from lab.witness.walk import Walk, Way

ENTRIES = 1000
"""Up to so many open connections, their entries are looked for too: what a bystander must not lose."""

FEW = 1000
"""Up to so many connections, a full collection is cheap enough to be asked for."""


class Stray(NamedTuple):
    """A task born in a connection's context.

    Attributes:
        name: the connection.
        made: the application's line that made it.
        served: whether the connection's handler still runs.
    """

    task: asyncio.Task[Any]
    name: str
    made: str
    served: bool


@dataclass(frozen=True, slots=True)
class Base:
    """Where the walks of one census begin.

    Attributes:
        roots: objects, the application's namespaces among them.
        names: the name of each, by its id.
        prune: types that lead everywhere.
    """

    roots: list[Any]
    names: Mapping[int, str]
    prune: frozenset[type]


def references(  # whatever a census knows
    alive: list[Connection],
    dead: list[ref[Connection]],
    strays: list[Stray],
    timers: Timers,
    roots: Roots,
    ways: list[Way] | None,
) -> Iterator[Held]:
    """Paths to what is left of dead connections; and to the entries of living ones, if they are few.

    Args:
        ways: where the entries of living ones were at the last census, and afterwards where they are at this one; with
            None nobody looks for them.
    """
    if not ((alive and ways is not None) or dead or strays):
        return
    base = Base(*roots.found(), roots.prune())
    if ways is not None and len(alive) <= ENTRIES:
        yield from _entries(alive, base, ways)
    yield from _tasks(strays, base, timers)
    if len(alive) + len(dead) <= FEW and any(living(dead)):
        gc.collect()  # a cycle is garbage and no orphan; with 10,000 connections this takes half a second
    left = yield from _near(dead, base, strays, timers)
    still = list(living(left))
    if still:
        yield from _far(still, alive, base)


def _entries(alive: list[Connection], base: Base, ways: list[Way]) -> Iterator[Held]:
    """What is kept of the living: first where it was found the last time."""
    walk = Walk(_targets(alive), prune=base.prune)
    walk.follow(ways, base.roots)
    walk.search(base.roots)
    ways.clear()
    ways.extend(tuple(map(id, path)) for path in walk.found.values())
    yield from _found(walk, walk.found.keys(), base.names)


def _tasks(strays: list[Stray], base: Base, timers: Timers) -> Iterator[Held]:
    """The tasks themselves, and which name of the application's holds each; the loop holds them all."""
    walk = Walk([(one.task, one.task) for one in strays if not one.served], prune=base.prune)
    walk.search(base.roots)
    for task, name, made, _ in strays:
        path = walk.found.get(task)
        held = holder(path, base.names) if path else ""
        yield Held("task", name, where(task, made), held, timers.wakes_ms(task), made)


def _near(
    dead: list[ref[Connection]], base: Base, strays: list[Stray], timers: Timers
) -> Generator[Held, None, list[ref[Connection]]]:
    """From the application's modules and the loop's timers; those held by a task or thread of their own say nothing.

    Returns:
        those for whom no path was found.
    """
    walk = Walk(_targets(living(dead)), (one.task for one in strays), base.prune)
    walk.search(base.roots)
    yield from _found(walk, walk.found.keys(), base.names)
    own = Walk(_targets(walk.left), prune=base.prune)
    own.search(one.task for one in strays)  # an orphan task is named; what hangs on it need not be
    own.search(_running())
    before = set(own.found)
    own.search(timers.handles if own.left else ())
    by_timer = {id(handle): handle for handle in timers.handles}
    for one in own.found.keys() - before:
        timer = by_timer[id(own.found[one][0])]
        yield Held("connection", one.name, "", "a timer of the loop", timers.left_ms(timer))
    return [ref(one) for one in own.left]


def _far(left: list[Connection], alive: list[Connection], base: Base) -> Iterator[Held]:
    """From farther away: other tasks, behind other sockets, libraries. Whoever lives and has no path is a doubt.

    Whom only the handler of a living connection knows ends with that: a partner, or the user's last connection.
    """
    walk = Walk(_targets(left), prune=base.prune)
    handlers = {one.handler for one in alive if one.handler is not None}
    tasks = [task for task in asyncio.all_tasks() if task not in handlers]
    names = dict(base.names) | {id(task): f"task {where(task)}" for task in tasks}
    walk.search(tasks)
    walk.search(base.roots, through=True)
    if walk.left:
        modules = [(name, module) for name, module in list(sys.modules.items()) if _foreign(name, module)]
        names |= {id(module.__dict__): name for name, module in modules}
        walk.search([module.__dict__ for _, module in modules])
    yield from _found(walk, walk.found.keys(), names)
    walk.search(handlers)
    for one in walk.left:
        yield Held("connection", one.name, "", "", sure=False)


def _found(walk: Walk[Connection], which: Iterable[Connection], names: Mapping[int, str]) -> Iterator[Held]:
    for one in list(which):
        yield Held("connection", one.name, "", holder(walk.found[one], names))


def _targets(connections: Iterable[Connection]) -> Iterator[tuple[object, Connection]]:
    return ((one, one) for one in connections)


def _running() -> Iterator[object]:
    """The frames of all threads but this one: the collector does not see them."""
    for ident, innermost in threading_.frames().items():
        frame: FrameType | None = innermost if ident != threading.get_ident() else None
        while frame is not None:
            yield frame
            frame = frame.f_back


def _foreign(name: str, module: Any) -> bool:
    return part(module, "__dict__") is not None and not (name == "lab" or name.startswith("lab.") or name == "__main__")
