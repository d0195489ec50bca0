"""A survey: the sizes of all that the server's process holds, at one moment. Whoever compares two sees what grew.

Containers, pools and semaphores are those that can be reached from the application's own names; tasks and threads are
counted by the line that made them, descriptors by what they are, objects by type. Whole numbers that the application
keeps under a name are sizes too. The first survey is the base: later ones say what differs from it.
"""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from collections import Counter
from collections.abc import Iterator
from types import MethodType
from typing import Any, NamedTuple

from lab.witness.code import frames_of, is_ours
from lab.witness.connections import Connections, living
from lab.witness.descriptors import children, descriptors
from lab.witness.ownership import decided
from lab.witness.reach import Measured, Named, Reach, name_of
from lab.witness.roots import Roots
from lab.witness.tasks import Tasks

INDEX = re.compile(r"\[\d+\]")
"""What is in a list is one of many."""


class Size(NamedTuple):
    """One size.

    Attributes:
        what: of an object what `sizes` measures; `number`, `task`, `thread`, `process`, `descriptor`, `type`;
            or `alive`, connections that have ended and of which something lives.
        key: where it is, or what it is: `rooms.members`, `beat() made at rooms.py:31 in chat()`, `file`.
        size: how many.
        base: how many there were at the first survey; None if that is not known.
        most: how many there can be by its own making; -1 if it has no bound of its own.
        example: for a type, the path to one of its objects.
    """

    what: str
    key: str
    size: int
    base: int | None = 0
    most: int = -1
    example: str = ""


class Survey:
    """Takes surveys of one process.

    Attributes:
        port: where the server listens.
    """

    def __init__(self, connections: Connections, tasks: Tasks, roots: Roots) -> None:
        self.connections, self.tasks, self.roots = connections, tasks, roots
        self.port = 0
        self._first: Counter[tuple[str, str]] | None = None
        self._base: dict[tuple[int, str], int] = {}

    def take(self, loop: asyncio.AbstractEventLoop) -> list[Size]:
        """What differs from the first survey; nothing the first time."""
        gc.collect()
        reach = Reach(self.roots, self.tasks, loop)
        found = list(reach.measured())
        counted = self._counted(loop)
        counted.update(reach.sums)
        counted.update({("type", name): len(those) for name, those in reach.types.items()})
        for kind, count in Counter(map(type, gc.get_objects())).items():
            if decided().owns_class(kind):  # whoever holds them, they are the application's
                counted["type", name_of(kind)] = max(count, counted["type", name_of(kind)])
        if self._first is None:
            self._first = counted
            self._base = {(id(thing), one.what): one.size for thing, one, _ in found}
            return []
        return [*self._differing(counted, self._first, reach), *self._changed(found)]

    def _differing(
        self, counted: Counter[tuple[str, str]], first: Counter[tuple[str, str]], reach: Reach
    ) -> Iterator[Size]:
        for what, key in counted.keys() | first.keys():
            size, base = counted[what, key], first[what, key]
            if size != base:
                example = Named(reach, reach.types[key][-1])() if key in reach.types and size > base else ""
                yield Size(what, key, size, base, -1, example)

    def _changed(self, found: list[tuple[object, Measured, Named]]) -> list[Size]:
        """Sizes under one name are one: of a list of rooms, or of locks, `rooms[*]`, the sum counts."""
        sizes: dict[tuple[str, str], Size] = {}
        for thing, one, path in found:
            base = self._base.get((id(thing), one.what))
            if base != one.size and (base is not None or one.size or one.what not in ("entries", "listed")):
                key = (one.what.partition(":")[0], INDEX.sub("[*]", path()))
                old = sizes.get(key)
                if old is not None:
                    sizes[key] = Size(*key, old.size + one.size, (old.base or 0) + (base or 0), one.most)
                else:
                    sizes[key] = Size(*key, one.size, base, one.most)
        return list(sizes.values())

    def _counted(self, loop: asyncio.AbstractEventLoop) -> Counter[tuple[str, str]]:
        """Whatever is counted by a name and not by an object."""
        found: Counter[tuple[str, str]] = Counter()
        handlers = {one.handler for one in self.connections.running}
        for task in asyncio.all_tasks(loop):
            if task not in handlers and (key := self._task(task)):
                found["task", key] += 1
        for thread in threading.enumerate():
            found["thread", _thread(thread)] += 1
        found.update({("descriptor", key): count for key, count in descriptors(self.port).items()})
        found.update({("process", key): count for key, count in children().items()})
        found["alive", ""] = sum(1 for _ in living(self.connections.left))
        return found

    def _task(self, task: asyncio.Task[Any]) -> str:
        """What it runs, and the application's line that made it. A server's own tasks are not counted."""
        coro: Any = task.get_coro()
        name, made = getattr(coro, "__qualname__", repr(type(coro))), self.tasks.made(task)
        if made:
            return f"{name}() made at {made}"
        mine = [frame for frame in frames_of(coro) if is_ours(frame.f_code.co_filename)]
        return f"{mine[0].f_code.co_qualname}()" if mine else f"{name}()" if task in self.tasks.born else ""


def _thread(thread: threading.Thread) -> str:
    target = getattr(thread, "_target", None)
    if target is None:
        return type(thread).__qualname__ if type(thread) is not threading.Thread else thread.name.rstrip("-_0123456789")
    while isinstance(target, MethodType):
        target = target.__func__
    return f"{getattr(target, '__qualname__', type(target).__qualname__)}()"
