"""Queues that a connection's handler made, and that are still written to: subscribers that nobody took off the list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary, ref

from anyio.streams.memory import MemoryObjectSendStream

from lab.witness.connections import connection

Queue: TypeAlias = asyncio.Queue[Any] | MemoryObjectSendStream[Any]
"""One of asyncio's, or the end of an anyio memory object stream into which one writes."""


@dataclass(slots=True)
class Birth:
    """Whose a queue is, and what was seen of it once its connection was gone.

    Attributes:
        name: the connection in whose context it was made.
        full: how full it was at the first look; -1 until then.
        fed: whether at some later look it was written to, and nobody had read it.
    """

    name: str
    full: int = -1
    fed: bool = False


class Left(NamedTuple):
    """A queue whose connection is gone, and into which somebody has put something since.

    Attributes:
        queue: it, weakly.
        name: the connection in whose context it was made.
        unread: whether that is still so, and nobody takes it out.
    """

    queue: ref[Queue]
    name: str
    unread: bool


class Queues:
    """Remembers, weakly, in which connection's context each queue was made."""

    def __init__(self) -> None:
        self.born: WeakKeyDictionary[Queue, Birth] = WeakKeyDictionary()

    def watch(self) -> None:
        """From now on, for the whole process."""
        asyncio.Queue.__init__ = self._remembering(asyncio.Queue.__init__)  # type: ignore[method-assign]  # there is no hook
        stream = MemoryObjectSendStream
        stream.__post_init__ = self._remembering(stream.__post_init__)  # type: ignore[method-assign]  # nor here

    def _remembering(self, make: Callable[..., None]) -> Callable[..., None]:
        """A method that makes a queue, and then remembers it."""
        born = self.born

        @wraps(make)
        def making(queue: Queue, *args: Any, **options: Any) -> None:
            make(queue, *args, **options)
            if name := connection.get():
                with suppress(TypeError):  # a subclass that cannot be hashed, or referred to weakly
                    born[queue] = Birth(name)

        return making

    def left(self, running: set[str], living: set[str]) -> Iterator[Left]:
        """Those of connections that are gone into which somebody puts something, or has put it.

        One in a pool is empty. It takes two looks, and a message in between.

        Args:
            running: the connections whose handler runs: theirs are not looked at.
            living: those of which something else is left, and that are found by it.
        """
        for queue, birth in list(self.born.items()):
            if birth.name in running:
                continue
            size, room = fullness(queue)
            if birth.full < 0:
                birth.full = size
                continue
            unread = size > birth.full or (size > 0 and not room)
            birth.fed = birth.fed or unread
            if birth.fed and birth.name not in living:
                yield Left(ref(queue), birth.name, unread)


def fullness(queue: Queue) -> tuple[int, bool]:
    """How much is in it, and whether it has room for more."""
    if isinstance(queue, asyncio.Queue):
        return queue.qsize(), not queue.full()
    stream = queue.statistics()
    size = stream.current_buffer_used + stream.tasks_waiting_send
    return size, size < stream.max_buffer_size
