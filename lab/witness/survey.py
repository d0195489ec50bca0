"""A survey: the sizes of all that the server's process holds, at one moment. Whoever compares two sees what grew.

Containers, pools and semaphores are those that can be reached from the application's own names; tasks and threads are
counted by the line that made them, descriptors by what they are, objects by type. Whole numbers that the application
keeps under a name are sizes too. The first survey is the base: later ones say what differs from it.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from lab.witness.code import frames_of, is_ours
from lab.witness.connections import Connections, living
from lab.witness.descriptors import children, descriptors
from lab.witness.holder import attributes, spelled
from lab.witness.ownership import decided
from lab.witness.roots import Roots
from lab.witness.sizes import Measure, bound_of, measure_of
from lab.witness.tasks import Tasks
from lab.witness.walk import ATOMS, Path, carriers, of_function

PLAIN = (dict, list, set, frozenset, tuple)
HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class that Python code has made."""

LONGEST = 64
"""Of a container with more entries than this its whole numbers are not looked at."""


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


class Measured(NamedTuple):
    """One thing that was counted of an object: what, how many, and how many there can be."""

    what: str
    size: int
    most: int = -1


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
        self._measures: dict[type, Measure | None] = {}

    def take(self, loop: asyncio.AbstractEventLoop) -> list[Size]:
        """What differs from the first survey; nothing the first time."""
        gc.collect()
        reach = _Reach(self, loop)
        found = list(reach.measured())
        counted = self._counted(loop)
        counted.update({("type", name): len(those) for name, those in reach.types.items()})
        for kind, count in Counter(map(type, gc.get_objects())).items():
            if decided().owns_class(kind):  # whoever holds them, they are the application's
                counted["type", _name_of(kind)] = max(count, counted["type", _name_of(kind)])
        if self._first is None:
            self._first = counted
            self._base = {(id(thing), one.what): one.size for thing, one, _ in found}
            return []
        return [*self._differing(counted, self._first, reach), *self._changed(found)]

    def _differing(
        self, counted: Counter[tuple[str, str]], first: Counter[tuple[str, str]], reach: _Reach
    ) -> Iterator[Size]:
        for what, key in counted.keys() | first.keys():
            size, base = counted[what, key], first[what, key]
            if size != base:
                example = Named(reach, reach.types[key][-1])() if key in reach.types and size > base else ""
                yield Size(what, key, size, base, -1, example)

    def _changed(self, found: list[tuple[object, Measured, Named]]) -> list[Size]:
        """Sizes under one name are one: of two lists in a list, `rooms[*]`, the sum counts."""
        sizes: dict[tuple[str, str], Size] = {}
        for thing, one, path in found:
            base = self._base.get((id(thing), one.what))
            if base != one.size and (base is not None or one.size or one.what != "entries"):
                key = (one.what.partition(":")[0], path())
                old = sizes.get(key)
                size = one.size + (old.size if old else 0)
                sizes[key] = Size(*key, size, base if old is None else None, one.most)
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

    def measure(self, kind: type) -> Measure | None:
        """How objects of a type are measured."""
        try:
            return self._measures[kind]
        except KeyError:
            found = self._measures[kind] = measure_of(kind)
            return found


class Named:
    """The name of something that was reached; made only for what changed.

    Args:
        thing: the object.
        part: which part of it, as one would write it behind the object's name.
    """

    __slots__ = ("_part", "_reach", "_thing")

    def __init__(self, reach: _Reach, thing: object, part: str = "") -> None:
        self._reach, self._thing, self._part = reach, thing, part

    def __call__(self) -> str:
        """Its path, as one would write it."""
        return spelled(self._reach.path(self._thing), self._reach.names) + self._part


class _Reach:
    """Everything that can be reached from the application's names, breadth first."""

    def __init__(self, survey: Survey, loop: asyncio.AbstractEventLoop) -> None:
        self.survey = survey
        roots, self.names = survey.roots.found()
        born, made = survey.tasks.born, survey.tasks.made
        services = [task for task in asyncio.all_tasks(loop) if task not in born and made(task)]
        self.names |= {id(task): f"{getattr(task.get_coro(), '__qualname__', 'task')}()" for task in services}
        self.types: dict[str, list[object]] = {}
        self._barriers = {id(task) for task in born}
        self._modules = {str(root.get("__name__")) for root in roots if isinstance(root, dict)}
        self._own = {id(root) for root in roots}
        self._parents: dict[int, object | None] = {id(root): None for root in (*roots, *services)}
        self._levels: list[list[Any]] = [list({id(root): root for root in (*roots, *services)}.values())]

    def path(self, thing: object) -> Path:
        """The objects from a root to the thing."""
        path = [thing]
        while (parent := self._parents[id(path[-1])]) is not None:
            path.append(parent)
        return tuple(reversed(path))

    def measured(self) -> Iterator[tuple[object, Measured, Named]]:
        """Each thing that can be measured, what was counted of it, and its name."""
        closed = carriers()
        while self._levels[-1]:
            for thing in self._levels[-1]:
                if id(thing) not in self.names and type(thing) not in closed:
                    for one in self._measured(thing):
                        yield thing, one, Named(self, thing)
                if id(thing) in self._own:
                    yield from self._numbers(thing)
                if type(thing).__flags__ & HEAP_TYPE:
                    self.types.setdefault(_name_of(type(thing)), []).append(thing)
            self._levels.append(self._deeper(self._levels[-1]))

    def _measured(self, thing: Any) -> Iterator[Measured]:
        kind = type(thing)
        if (how := self.survey.measure(kind)) is not None:
            if (count := how.tally(thing)) is not None:
                yield Measured(how.what, count, bound_of(thing))
        elif kind in (tuple, frozenset) and id(self._parents[id(thing)]) in self.names:
            yield Measured("entries", len(thing))  # a name of the application's that is set anew each time

    def _numbers(self, thing: Any) -> Iterator[tuple[object, Measured, Named]]:
        """Whole numbers of the application's own: globals, attributes of its objects, entries of its dicts."""
        spaces = id(thing) in self.names
        if isinstance(thing, dict):
            items: Mapping[Any, object] = thing if spaces or len(thing) <= LONGEST else {}
        else:
            items = {} if isinstance(thing, PLAIN) else attributes(thing)
        for name, value in list(items.items()):
            if type(value) is int and not (spaces and str(name).startswith("__")):
                part = f"[{name!r}]" if isinstance(thing, dict) and not spaces else f".{name}"
                yield thing, Measured(f"number:{name!r}", value), Named(self, thing, part)

    def _deeper(self, level: list[Any]) -> list[Any]:
        """One level deeper. This is where a survey's time is spent."""
        referents, parents, own = gc.get_referents, self._parents, self._own
        atoms, closed, modules = ATOMS | self.survey.roots.prune(), carriers(), self._modules
        deeper: list[Any] = []
        for parent in level:
            kind = type(parent)
            if kind in closed or id(parent) in self._barriers:
                continue
            mine = id(parent) in own
            held: Any = of_function(parent) if kind is FunctionType else referents(parent)
            for child in held:
                kind = type(child)
                if (kind in atoms and not (kind is type and child.__module__ in modules)) or id(child) in parents:
                    continue
                parents[id(child)] = parent
                if mine and (kind in PLAIN or kind.__module__ in modules or kind.__name__ == "State"):
                    own.add(id(child))
                deeper.append(child)
        return deeper


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _thread(thread: threading.Thread) -> str:
    target = getattr(thread, "_target", None)
    if target is None:
        return type(thread).__qualname__ if type(thread) is not threading.Thread else thread.name.rstrip("-_0123456789")
    while isinstance(target, MethodType):
        target = target.__func__
    return f"{getattr(target, '__qualname__', type(target).__qualname__)}()"
