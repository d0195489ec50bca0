"""What can be counted of one object: what it holds, how many of its places are taken, how many of its items lent."""

from __future__ import annotations

import asyncio
import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import anyio

from lab.witness.compat import anyio_, asyncio_, containers, queue_, sqlalchemy_, threading_
from lab.witness.plainly import is_a


class Measure(NamedTuple):
    """How objects of a type are measured.

    Attributes:
        what: what is counted: `entries` of a dict or a set, what is `listed` in a list or a deque, `places` taken,
            `items` waiting, `lent` by a pool, `cached`.
        tally: counts it; None where it cannot be told.
    """

    what: str
    tally: Callable[[Any], int | None]


@cache
def measure_of(kind: type) -> Measure | None:
    """How objects of a type are measured; None if there is nothing to be counted of them."""
    for types, measure in MEASURES:
        if issubclass(kind, types):
            return measure
    if callable(getattr(kind, "checkedout", None)):  # a pool of SQLAlchemy's, and whoever followed it
        return Measure("lent", sqlalchemy_.lent)
    if issubclass(kind, Mapping) and hasattr(kind, "currsize"):  # cachetools'
        return Measure("cached", len)
    if callable(getattr(kind, "cache_info", None)):
        return Measure("cached", lambda cache: int(cache.cache_info().currsize))
    return None


def tally(how: Measure, thing: object) -> int | None:
    """The count; None where it cannot be told, or where the application's own `__len__` raises."""
    try:
        return how.tally(thing)
    except Exception:  # a subclass of the application's
        return None


def bound_of(thing: object) -> int:
    """How much there can be in it by its own making; -1 where it has no bound, or does not say so."""
    found = containers.filled(thing)
    return -1 if found is None or found.most is None else int(found.most)


def _listed(those: list[Any] | deque[Any]) -> int:
    """A weak reference whose object is gone keeps nothing; a connection of sqlite3 has up to 200 of them."""
    if those and is_a(those[-1], weakref.ref):
        return sum(not is_a(one, weakref.ref) or one() is not None for one in tuple(those))
    return len(those)


MEASURES: tuple[tuple[tuple[type, ...], Measure], ...] = (
    ((dict, set), Measure("entries", len)),
    ((list, deque), Measure("listed", _listed)),
    ((asyncio.Semaphore,), Measure("places", lambda one: -asyncio_.free_places(one))),
    ((threading.Semaphore,), Measure("places", lambda one: -threading_.free_places(one))),
    ((anyio.Semaphore,), Measure("places", lambda one: -int(anyio_.free_places(one)))),
    ((anyio.CapacityLimiter,), Measure("places", lambda one: int(one.borrowed_tokens))),
    ((asyncio.Lock, anyio.Lock), Measure("places", lambda one: int(one.locked()))),
    ((asyncio.Queue,), Measure("items", lambda one: one.qsize())),
    ((queue.Queue, queue.SimpleQueue), Measure("items", queue_.items)),
)
"""Where only the free places are known, those that are taken are counted below zero: only their growth matters."""
