"""Everything that can be reached from the application's own names, what can be measured of it, and how it is called."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter, deque
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

from lab.witness.holder import attributes, spelled
from lab.witness.plainly import is_a, part
from lab.witness.roots import Roots
from lab.witness.sizes import bound_of, measure_of, tally
from lab.witness.tasks import Tasks
from lab.witness.walk import ATOMS, Path, carriers, of_function

PLAIN = (dict, list, set, frozenset, tuple)
INNER = frozenset((dict, set, list, deque))
OWNERS = ("cached", "items", "places", "lent")
"""What is measured of those who keep what they have in such a container."""

HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class that Python code has made."""

LONGEST = 64
"""Of a dict with more entries than this its whole numbers are not looked at."""


class Measured(NamedTuple):
    """One thing that was counted of an object: what, how many, and how many there can be."""

    what: str
    size: int
    most: int = -1


class Named:
    """The name of something that was reached; made only for what changed.

    Args:
        thing: the object.
        part: which part of it, as one would write it behind the object's name.
    """

    __slots__ = ("_part", "_reach", "_thing")

    def __init__(self, reach: Reach, thing: object, part: str = "") -> None:
        self._reach, self._thing, self._part = reach, thing, part

    def __call__(self) -> str:
        """Its path, as one would write it."""
        return spelled(self._reach.path(self._thing), self._reach.names) + self._part


class Reach:
    """Everything that can be reached from the application's names, breadth first.

    Attributes:
        names: the name of each root, by its id.
        types: the objects of each class that Python code has made, by its name.
        sums: for each attribute of the application's classes that is a whole number, its sum over all their objects.
    """

    def __init__(self, whose: Roots, tasks: Tasks, loop: asyncio.AbstractEventLoop) -> None:
        roots, self.names = whose.found()
        born, made = tasks.born, tasks.made
        self._atoms = ATOMS | whose.prune()
        services = [task for task in asyncio.all_tasks(loop) if task not in born and made(task)]
        self.names |= {id(task): f"{getattr(task.get_coro(), '__qualname__', 'task')}()" for task in services}
        self.types: dict[str, list[object]] = {}
        self.sums: Counter[tuple[str, str]] = Counter()
        self._spaces: set[int] = set()
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
                if id(thing) in self._spaces:
                    continue
                if id(thing) not in self.names and type(thing) not in closed:
                    for one in self._measured(thing):
                        yield thing, one, Named(self, thing)
                if id(thing) in self._own:
                    yield from self._numbers(thing)
                if type(thing).__flags__ & HEAP_TYPE:
                    self.types.setdefault(name_of(type(thing)), []).append(thing)
            self._levels.append(self._deeper(self._levels[-1]))

    def _measured(self, thing: Any) -> Iterator[Measured]:
        kind = type(thing)
        if kind in INNER and self._is_inner(thing):
            return  # its owner is measured, with the bound that it has
        if (how := measure_of(kind)) is not None:  # type: ignore[arg-type]  # a class can be hashed
            if (count := tally(how, thing)) is not None:
                yield Measured(how.what, count, -1 if kind in PLAIN else bound_of(thing))
        elif kind in (tuple, frozenset) and id(self._parents[id(thing)]) in self.names:
            yield Measured("entries", len(thing))  # a name of the application's that is set anew each time

    def _is_inner(self, thing: object) -> bool:
        """Whether it is what a cache, a queue or a limiter keeps its items in."""
        owner = self._parents[id(thing)]
        if id(owner) in self._spaces:
            owner = self._parents[id(owner)]
        kind: Any = type(owner)
        how = measure_of(kind)
        return how is not None and how.what in OWNERS and kind.__module__ not in self._modules

    def _numbers(self, thing: Any) -> Iterator[tuple[object, Measured, Named]]:
        """Whole numbers of the application's own: globals, entries of its dicts; attributes are added up by class."""
        if not is_a(thing, dict):
            kind = thing if is_a(thing, type) else type(thing)
            named = {} if issubclass(type(thing), PLAIN) else vars(thing) if kind is thing else attributes(thing)
            for name, value in named.items():
                if type(value) is int and not name.startswith("__"):
                    self.sums["number", f"{name_of(kind)}.{name}"] += value
            return
        is_module = id(thing) in self.names
        if dict.__len__(thing) > LONGEST and not is_module:
            return
        numbers = {name: value for name, value in list(dict.items(thing)) if type(value) is int}
        if len(numbers) > 1 and not is_module:
            yield thing, Measured("number:*", sum(numbers.values())), Named(self, thing, "[*]")
        for name, value in numbers.items():
            if not (is_module and str(name).startswith("__")):
                part = f".{name}" if is_module else f"[{name!r}]"
                yield thing, Measured(f"number:{name!r}", value), Named(self, thing, part)

    def _deeper(self, level: list[Any]) -> list[Any]:
        """One level deeper. This is where a survey's time is spent."""
        referents, parents, own = gc.get_referents, self._parents, self._own
        atoms, closed, modules = self._atoms, carriers(), self._modules
        deeper: list[Any] = []
        for parent in level:
            kind = type(parent)
            if kind in closed or id(parent) in self._barriers:
                continue
            mine = id(parent) in own
            held: Any = of_function(parent) if kind is FunctionType else referents(parent)
            for child in held:
                kind = type(child)
                if id(child) in parents or (
                    (kind in atoms or issubclass(kind, type))
                    and not (issubclass(kind, type) and child.__module__ in modules)
                ):
                    continue
                parents[id(child)] = parent
                if kind is dict and type(parent) not in PLAIN and part(parent, "__dict__") is child:
                    self._spaces.add(id(child))  # its entries are attributes
                if (
                    issubclass(kind, type)
                    or kind.__module__ in modules
                    or (mine and (kind in PLAIN or kind.__name__ == "State"))
                ):
                    own.add(id(child))
                deeper.append(child)
        return deeper


def name_of(kind: type) -> str:
    """A class by its module and its name."""
    return f"{kind.__module__}.{kind.__qualname__}"
