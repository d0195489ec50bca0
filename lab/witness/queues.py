"""Queues that a connection's handler made: a subscriber that nobody takes off the list holds no connection itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from lab.witness.connections import connection


class Queues:
    """Remembers, weakly, in which connection's context each asyncio.Queue was made."""

    def __init__(self) -> None:
        self.born: WeakKeyDictionary[asyncio.Queue[Any], str] = WeakKeyDictionary()

    def watch(self) -> None:
        """From now on, for the whole process."""
        make, born = asyncio.Queue.__init__, self.born

        @wraps(make)
        def making(queue: asyncio.Queue[Any], *args: Any, **options: Any) -> None:
            make(queue, *args, **options)
            if name := connection.get():
                with suppress(TypeError):  # a subclass that cannot be hashed, or referred to weakly
                    born[queue] = name

        asyncio.Queue.__init__ = making  # type: ignore[assignment,method-assign]  # there is no hook

    def alive(self) -> Iterator[tuple[asyncio.Queue[Any], str]]:
        """Each that is still there, and the connection it was made for."""
        yield from list(self.born.items())
