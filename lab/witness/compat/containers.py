"""What bounds itself: caches of functools and cachetools, and rings of collections. It is public, but differs."""

from __future__ import annotations

import functools
import sys
from collections import deque
from operator import methodcaller
from typing import Any, NamedTuple

READ_FROM = {"python": ("3.11", "3.12", "3.13")}

CACHED: Any = methodcaller("cache_info")


class Filled(NamedTuple):
    """How much is in a container that may have a bound.

    Attributes:
        size: how much is in it.
        most: how much may be in it; None: it may grow for ever.
    """

    size: int
    most: float | None


def filled(thing: object) -> Filled | None:
    """A function's `lru_cache`, a cache of cachetools or a deque; None if it is none of them."""
    if isinstance(thing, deque):
        return Filled(len(thing), thing.maxlen)
    if isinstance(thing, functools._lru_cache_wrapper):
        info = CACHED(thing)
        return Filled(int(info.currsize), info.maxsize)
    if isinstance(thing, _cache_types()):
        cache: Any = thing
        return Filled(int(cache.currsize), cache.maxsize)
    return None


def _cache_types() -> tuple[type, ...]:
    """cachetools' base class, where somebody has imported it."""
    found = getattr(sys.modules.get("cachetools"), "Cache", None)
    return (found,) if isinstance(found, type) else ()
