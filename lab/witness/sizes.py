"""What can be counted of one object: how much it holds, how many of its places are taken, how many of its items lent."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import anyio

Measure = Callable[[Any], Iterator["Measured"]]

UNBOUNDED = -1
CONTAINERS = (dict, list, set, deque)


class Measured(NamedTuple):
    """One thing that was counted of an object.

    Attributes:
        what: `entries` of a container, `places` taken, `items` waiting, `lent` by a pool, `cached`, or `waiters`.
        size: how many.
        most: how many there can be by its own making, where it says so; -1 where it does not.
    """

    what: str
    size: int
    most: int = UNBOUNDED


def measure_of(kind: type) -> Measure | None:
    """How objects of a type are measured; None if there is nothing to be counted of them."""
    if issubclass(kind, deque):
        return _deque
    if issubclass(kind, CONTAINERS):
        return _container
    for types, measure in _SPECIAL:
        if issubclass(kind, types):
            return measure
    if callable(getattr(kind, "checkedout", None)):  # a pool of SQLAlchemy's, and whoever followed it
        return _pool
    if callable(getattr(kind, "cache_info", None)):
        return _cache
    return None


def _container(thing: Any) -> Iterator[Measured]:
    yield Measured("entries", len(thing), _room(thing))


def _room(thing: Any) -> int:
    """The bound of a cache that is a mapping and knows one, as cachetools' are."""
    most = getattr(thing, "maxsize", None)
    return most if type(thing) is not dict and isinstance(most, int) and most > 0 else UNBOUNDED


def _deque(thing: deque[Any]) -> Iterator[Measured]:
    yield Measured("entries", len(thing), UNBOUNDED if thing.maxlen is None else thing.maxlen)


def _semaphore(thing: Any) -> Iterator[Measured]:
    yield Measured("places", -int(thing._value))


def _anyio_semaphore(thing: anyio.Semaphore) -> Iterator[Measured]:
    yield Measured("places", -thing.value)


def _limiter(thing: anyio.CapacityLimiter) -> Iterator[Measured]:
    yield Measured("places", int(thing.borrowed_tokens))


def _queue(thing: Any) -> Iterator[Measured]:
    yield Measured("items", int(thing.qsize()))


def _pool(thing: Any) -> Iterator[Measured]:
    yield Measured("lent", int(thing.checkedout()))


def _cache(thing: Any) -> Iterator[Measured]:
    said = thing.cache_info()
    most = getattr(said, "maxsize", None)
    yield Measured("cached", int(said.currsize), most if isinstance(most, int) else UNBOUNDED)


_SPECIAL: tuple[tuple[tuple[type, ...], Measure], ...] = (
    ((asyncio.Semaphore, threading.Semaphore), _semaphore),
    ((anyio.Semaphore,), _anyio_semaphore),
    ((anyio.CapacityLimiter,), _limiter),
    ((asyncio.Queue, queue.Queue, queue.SimpleQueue), _queue),
)
