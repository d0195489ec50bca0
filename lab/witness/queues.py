"""Queues that a connection's handler made, and that are still written to: subscribers that nobody took off the list."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from lab.witness.connections import connection


@dataclass(slots=True)
class Birth:
    """Whose a queue is, and how full it was when its connection was first seen to be gone; -1 until then."""

    name: str
    full: int = -1


class Queues:
    """Remembers, weakly, in which connection's context each asyncio.Queue was made."""

    def __init__(self) -> None:
        self.born: WeakKeyDictionary[asyncio.Queue[Any], Birth] = WeakKeyDictionary()

    def watch(self) -> None:
        """From now on, for the whole process."""
        make, born = asyncio.Queue.__init__, self.born

        @wraps(make)
        def making(queue: asyncio.Queue[Any], *args: Any, **options: Any) -> None:
            make(queue, *args, **options)
            if name := connection.get():
                with suppress(TypeError):  # a subclass that cannot be hashed, or referred to weakly
                    born[queue] = Birth(name)

        asyncio.Queue.__init__ = making  # type: ignore[assignment,method-assign]  # there is no hook

    def written_to(self, living: set[str]) -> Iterator[tuple[asyncio.Queue[Any], str]]:
        """Those of connections that are gone into which somebody still puts something, and nobody takes it out.

        One in a pool is empty. It takes two looks, and a message in between.
        """
        for queue, birth in list(self.born.items()):
            if birth.name in living:
                continue
            size = queue.qsize()
            if birth.full < 0:
                birth.full = size
            elif size > birth.full or (size and queue.full()):
                yield queue, birth.name
