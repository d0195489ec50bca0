"""queue: how much is in a queue between threads, without waiting for its lock.

`qsize()` of a `Queue` takes a lock that the application's thread may hold for long; a survey stands on the loop.
"""

from __future__ import annotations

import queue
from operator import attrgetter
from typing import Any

READ_FROM = {"python": ("3.11", "3.12", "3.13")}

ITEMS = attrgetter("queue")
UNFINISHED = attrgetter("unfinished_tasks")


def items(which: queue.Queue[Any] | queue.SimpleQueue[Any]) -> int:
    """How many items are in it."""
    if isinstance(which, queue.Queue):
        return len(ITEMS(which))
    return which.qsize()  # it has no lock of Python's


def unfinished(which: queue.Queue[Any]) -> int:
    """How many items were put in and not yet said to be done."""
    found: int = UNFINISHED(which)
    return found
