"""A path of references, said as one would write it: `myserver.manager.active['alice']`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from functools import singledispatch
from itertools import islice, pairwise
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    TracebackType,
)
from typing import Any

from lab.witness.code import frames_of, is_ours
from lab.witness.connections import WatchedScope
from lab.witness.plainly import is_a, part
from lab.witness.walk import Path

LONGEST_KEY = 40
PLAIN = (dict, list, tuple, set, FrameType, CellType, FunctionType)


def holder(path: Path, roots: Mapping[int, str]) -> str:
    """The path in words, up to what carries the connection (its WebSocket, its `send`).

    Args:
        path: objects from a root to the target.
        roots: how each root is called, by id: a module's namespace by the module's name, a task by what it runs.
    """
    if len(path) > 1 and isinstance(path[-2], MethodType | WatchedScope):
        path = path[:-1]  # the scope, `receive` or `send`, and not what knows them
    return spelled(path[: _carrier(path) + 1], roots)


def spelled(path: Path, roots: Mapping[int, str]) -> str:
    """The whole path in words; see `holder`."""
    said = roots.get(id(path[0]), "") or _title(path[0])
    for index, (parent, child) in enumerate(pairwise(path)):
        try:
            first = index == 0 and isinstance(parent, dict)
            said += _step(parent, child, path[index - 1] if index else None, first=first)
        except Exception:  # an object of the application's that does not say what it is
            said += f" → {type(parent).__name__}"
    return said


def _carrier(path: Path) -> int:
    """How many steps lead to what the application itself would call the connection."""
    for index in range(1, len(path)):
        thing = path[index]
        if hasattr(type(thing), "send_text") or hasattr(type(thing), "websocket_accept") or thing is path[-1]:
            return index
        # an object whose own attribute is the scope, receive or send: the framework's connection
        if not issubclass(type(thing), PLAIN) and any(held is path[-1] for held in attributes(thing).values()):
            return index
    return len(path) - 1


@singledispatch
def _step(parent: Any, child: object, _before: object, *, first: bool) -> str:
    """How `child` is reached from `parent`, which itself was reached from `before`."""
    del first
    return _attribute(parent, child)


@_step.register
def _(parent: set | frozenset, _child: object, _before: object, *, first: bool) -> str:  # type: ignore[type-arg]
    del parent, first
    return "{…}"


@_step.register
def _(parent: FunctionType, child: object, _before: object, *, first: bool) -> str:
    del first
    return "" if isinstance(child, tuple) else _attribute(parent, child)


@_step.register
def _(parent: CellType | asyncio.Future, _child: object, _before: object, *, first: bool) -> str:  # type: ignore[type-arg]
    del parent, first
    return ""


@_step.register
def _(parent: MethodType | BuiltinFunctionType, child: object, _before: object, *, first: bool) -> str:
    del first
    return f".{parent.__name__}" if isinstance(child, FunctionType) else f" → {parent.__name__}()"


@_step.register
def _(parent: TracebackType, child: object, _before: object, *, first: bool) -> str:
    del first
    return "" if isinstance(child, FrameType | TracebackType) else _local(parent.tb_frame, child)


@_step.register
def _(parent: FrameType, child: object, _before: object, *, first: bool) -> str:
    del first
    return _local(parent, child)


@_step.register
def _(
    parent: CoroutineType | GeneratorType | AsyncGeneratorType,  # type: ignore[type-arg]
    child: object,
    _before: object,
    *,
    first: bool,
) -> str:
    del first
    return next((_local(frame, child) for frame in islice(frames_of(parent), 1)), "")


@_step.register(dict)
def _of_dict(parent: dict[Any, Any], child: object, before: object, *, first: bool) -> str:
    for key, value in islice(parent.items(), 100_000):
        if value is child:
            of_object = isinstance(before, type) or part(before, "__dict__") is parent
            attribute = first or (isinstance(key, str) and of_object)
            return f".{key}" if attribute else f"[{_key(key)}]"
        if key is child:
            return "{…}"
    return " → "


@_step.register(list)
@_step.register(tuple)
@_step.register(deque)
def _of_sequence(parent: Any, child: object, before: object, *, first: bool) -> str:
    del first
    index = next((n for n, item in enumerate(parent) if item is child), None)
    if isinstance(before, FunctionType) and parent is before.__closure__ and index is not None:
        return f" → closure of {before.__qualname__}: {before.__code__.co_freevars[index]}"
    if isinstance(before, FunctionType) and parent is before.__defaults__:
        return f" → default of {before.__qualname__}"
    return f"[{'…' if index is None else index}]"


def _local(frame: FrameType, child: object) -> str:
    """`→ ws(): websocket`. Frames of libraries are only on the way."""
    if isinstance(child, FrameType):
        return ""
    name = next((key for key, value in frame.f_locals.items() if value is child), "")
    if not is_ours(frame.f_code.co_filename) and not name:
        return ""
    return f" → {frame.f_code.co_qualname}()" + (f": {name}" if name else "")


def _attribute(parent: Any, child: object) -> str:
    if child is part(parent, "__dict__"):
        return ""
    name = next((key for key, value in attributes(parent).items() if value is child), "")
    if name:
        return f".{name}"
    if isinstance(parent, BaseException):
        return ".__traceback__" if isinstance(child, TracebackType) else f".{_exception_part(parent, child)}"
    return "" if isinstance(child, tuple | list | dict) else f" → {_title(parent)}"


def _exception_part(parent: BaseException, child: object) -> str:
    return next((key for key in ("__context__", "__cause__", "args") if getattr(parent, key) is child), "…")


def attributes(thing: object) -> dict[str, object]:
    """Instance attributes, slots included."""
    found: dict[str, object] = {}
    if is_a(thing, type):
        return found
    own = part(thing, "__dict__")
    if isinstance(own, dict):
        found.update((str(key), value) for key, value in own.items())
    for name in _slots(type(thing)):
        try:
            found[name] = object.__getattribute__(thing, name)
        except AttributeError:
            continue
    return found


def _slots(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots


def _key(key: object) -> str:
    if not isinstance(key, str | int | float | bytes | tuple | bool | None):
        return type(key).__name__  # its repr is the application's code
    said = repr(key)
    return said if len(said) <= LONGEST_KEY else f"{said[:LONGEST_KEY]}…"


def _title(thing: object) -> str:
    """A function by its name, anything else by its type."""
    for name in (part(thing, "__qualname__"), part(thing, "__name__")):
        if isinstance(name, str):
            return f"{name}()"
    wrapped = part(part(thing, "__wrapped__"), "__qualname__")
    return f"{wrapped}()" if isinstance(wrapped, str) else type(thing).__name__
