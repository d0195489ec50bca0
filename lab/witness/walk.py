"""The walk from roots to what is left of dead connections: a path from a root is itself the proof that it is reachable.

Forward, with gc.get_referents and a parent for each object that was met: walking back from every orphan with
gc.get_referrers costs a second each beside 10,000 connections, and it sees nothing after gc.freeze() (measured).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Mapping
from itertools import pairwise
from types import (
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Generic, TypeVar

from lab.witness.connections import WatchedScope

Name = TypeVar("Name")

SCOPES: frozenset[type] = frozenset((WatchedScope,))

Path = tuple[object, ...]
"""The objects from a root to what is held, both included."""

ATOMS: frozenset[type] = frozenset(
    (
        *(str, int, float, bytes, bool, complex, type(None), type, CodeType, ModuleType, range, type(...)),
        *(GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType),
    )
)
"""Whatever has these types leads nowhere, or everywhere. Bound builtins are not among them: a future's callbacks
hold the task that waits for it through one."""


Way = tuple[int, ...]
"""The ids of a path."""

NEAR, MANY = 6, 300
"""How far from where a target was found others are looked for before they are looked for everywhere: in steps up and
down, and in objects."""


class _Known:
    """What is at the ends of ways, as far as they are there; each step is looked up once."""

    def __init__(self, paths: dict[Way, Path]) -> None:
        self._paths: dict[Way, Path] = paths
        self._steps: dict[int, dict[int, Path]] = {}

    def path(self, way: Way) -> Path:
        """The path of that way; empty if it is no longer there."""
        if (known := self._paths.get(way)) is not None:
            return known
        path: Path = ()
        if len(way) > 1 and (before := self.path(way[:-1])):
            steps = self._steps.get(way[-2])
            if steps is None:
                steps = self._steps[way[-2]] = _steps(before[-1])
            path = before + steps[way[-1]] if way[-1] in steps else ()
        self._paths[way] = path
        return path


def _steps(parent: object) -> dict[int, Path]:
    """How to go on from there, by the id of where it leads to.

    An object may have got a dict for its attributes since, by being asked for it: then that is in between.
    """
    held = _held_by(parent)
    steps: dict[int, Path] = {}
    for one in held if type(parent) is not dict else ():
        if type(one) is dict:
            steps.update((id(value), (one, value)) for value in tuple(one.values()))
    return steps | {id(one): (one,) for one in held}


class Walk(Generic[Name]):
    """Looks for targets from ever more roots, until each has a path.

    Args:
        targets: what is looked for, and what each belongs to. Nothing is ever looked for behind a target.
        barriers: what must not be looked through.
        prune: types that lead everywhere, as a server's protocol knows all its connections. Targets may have them.
    """

    def __init__(
        self,
        targets: Iterable[tuple[object, Name]],
        barriers: Iterable[object] = (),
        prune: frozenset[type] = frozenset(),
    ) -> None:
        self._atoms = ATOMS | prune
        self._prune = prune
        self._modules: set[object] = set()
        self.found: dict[Name, Path] = {}
        self._want: dict[int, tuple[object, Name]] = {id(thing): (thing, name) for thing, name in targets}
        self._names = {name for _, name in self._want.values()}
        self._barriers = {id(thing): thing for thing in barriers}
        self._carriers = carriers()

    @property
    def left(self) -> set[Name]:
        """Those not found yet."""
        return self._names - self.found.keys()

    def search(self, roots: Iterable[object], *, through: bool = False) -> None:
        """Breadth first from the roots; what is found gets the shortest path.

        Args:
            through: also look behind the sockets of other connections, should one hold another.
        """
        missing, roots = self.left, list(roots)
        if not missing:
            return
        self._modules = {root.get("__name__") for root in roots if isinstance(root, dict)}
        parents: dict[int, object | None] = {}
        level: list[object] = []
        for root in roots:
            if id(root) not in parents:
                parents[id(root)] = None
                level.append(root)
        kept = [level]  # alive, so that no id is given away twice
        while level and missing:
            level = self._step(level, parents, missing, through)
            kept.append(level)

    def follow(self, ways: Iterable[Way], roots: Iterable[object]) -> None:
        """Go where targets were found before: first to the same ends, then to what lies beside them. Any path will do.

        Args:
            ways: paths that were found, as ids, which keep nothing alive. What has those ids now need not be the same
                things: a path that is there is a path.
        """
        begin = {id(root): root for root in roots}
        self._modules = {root.get("__name__") for root in begin.values() if isinstance(root, dict)}
        known = _Known({(key,): (thing,) for key, thing in begin.items()})
        before = [way for way in ways if way[0] in begin]
        for way in before:
            path = known.path(way)
            if path and way[-1] in self._want and not any(id(one) in self._want for one in path[:-1]):
                self.found.setdefault(self._want[way[-1]][1], path)
        beside = dict.fromkeys(way[:-up] for up in range(1, NEAR) for way in before if len(way) > up)
        for way in beside:
            path, missing = known.path(way), self.left
            if missing and path and not any(type(one) in self._atoms or id(one) in self._want for one in path):
                parents: dict[int, object | None] = dict(zip(map(id, path), (None, *path), strict=False))
                level, met = [path[-1]], 0
                for _ in range(NEAR):
                    level = self._step(level, parents, missing, through=False)
                    if (met := met + len(level)) > MANY or not missing:
                        break

    def _step(
        self, level: list[object], parents: dict[int, object | None], missing: set[Name], through: bool
    ) -> list[object]:
        """One level deeper. This is the loop that the census's time is spent in."""
        referents, atoms, want, barriers = gc.get_referents, self._atoms, self._want, self._barriers
        modules, prune = self._modules, self._prune
        carriers, function = (SCOPES if through else self._carriers), FunctionType
        deeper: list[Any] = []
        append = deeper.append
        for parent in level:
            kind = type(parent)
            children = of_function(parent) if kind is function else referents(parent)
            child: Any
            for child in children:
                kind = type(child)
                key = id(child)
                if (
                    kind in atoms
                    and not (kind in prune and key in want)
                    and not (kind is type and child.__module__ in modules)
                ):
                    continue  # of classes, those of the application may keep something for all their instances
                if key in parents:
                    continue
                parents[key] = parent
                carried = _carried(child) if kind in carriers else None
                if carried is not None:
                    key = id(carried)
                    if key in want:
                        scope = getattr(child, "scope", child)
                        parents.setdefault(id(scope), child)
                        parents.setdefault(key, scope)
                if key in want:
                    name = want[key][1]
                    if name in missing:
                        missing.discard(name)
                        self.found[name] = _path(want[key][0], parents)
                elif key not in barriers and carried is None:
                    append(child)
        return deeper


def _carried(carrier: Any) -> object:
    """The connection that a WebSocket or a scope is of; None if middleware gave the WebSocket a copy of its scope."""
    return getattr(getattr(carrier, "scope", carrier), "watched", None)


def of_function(function: Any) -> tuple[object, ...]:
    """What a function holds of its own; its globals are a module's business."""
    return (function.__closure__, function.__defaults__, function.__kwdefaults__, function.__dict__)


def _path(target: object, parents: Mapping[int, object | None]) -> Path:
    path = [target]
    while (parent := parents[id(path[-1])]) is not None:
        path.append(parent)
    return tuple(reversed(path))


def carriers() -> frozenset[type]:
    """Scopes, and Starlette's WebSocket if it is here: they can be asked for their connection without walking on."""
    module = sys.modules.get("starlette.websockets")
    return SCOPES | {module.WebSocket} if module else SCOPES


def _held_by(parent: Any) -> list[object]:
    """What is one step from it: its referents, or its scope."""
    held = list(of_function(parent) if isinstance(parent, FunctionType) else gc.get_referents(parent))
    return [*held, parent.scope] if type(parent) in carriers() - SCOPES else held


def exists(path: Path) -> bool:
    """Whether every step of a path is there: what is held is a referent of what holds it, or its scope."""
    return all(any(child is held for held in _held_by(parent)) for parent, child in pairwise(path))
