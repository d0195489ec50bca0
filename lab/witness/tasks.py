"""Tasks born in a connection's context: which still run, where each one waits, and when it will end by itself."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Generator, Iterator
from functools import cached_property
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from lab.witness.code import is_ours, spot
from lab.witness.compat import anyio_, asyncio_
from lab.witness.connections import connection

Factory = Callable[..., asyncio.Future[Any]]
"""What a loop makes its tasks with."""


class Tasks:
    """A task factory that remembers, weakly, in which connection's context each task was born, and by which line."""

    def __init__(self) -> None:
        self.born: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()
        self._made: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()
        self._factory: Factory | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make `loop` create its tasks through this factory, and whatever factory the application sets through it."""
        loop.set_task_factory(self._create)
        private: Any = loop
        private.set_task_factory, private.get_task_factory = self._set, lambda: self._factory

    def made(self, task: asyncio.Task[Any]) -> str:
        """The application's line that made it, as `rooms.py:31 in chat()`; "" where a library did."""
        return self._made.get(task, "")

    def alive(self) -> Iterator[tuple[asyncio.Task[Any], str]]:
        """Each task that has not ended, and the connection it was born in."""
        for task, name in list(self.born.items()):
            if not task.done():
                yield task, name

    def _set(self, factory: Factory | None) -> None:
        self._factory = factory

    def _create(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **options: Any,
    ) -> asyncio.Future[Any]:
        made = _line(sys._getframe(1))
        if self._factory is not None:
            task = self._factory(loop, coro, **options)
        else:
            task = asyncio.Task(coro, loop=loop, **options)
        if isinstance(task, asyncio.Task):
            if name := connection.get():
                self.born[task] = name
            if made:
                self._made[task] = made
        return task


def _line(frame: FrameType | None) -> str:
    """The innermost line of the application's."""
    while frame is not None:
        if is_ours(frame.f_code.co_filename):
            return f"{spot(frame)} in {frame.f_code.co_qualname}()"
        frame = frame.f_back
    return ""


class Timers:
    """What the loop will wake, and when. Made for one moment: it does not follow the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._now = loop.time()
        self._loop = loop

    @cached_property
    def handles(self) -> list[asyncio.TimerHandle]:
        """Every timer that is to fire."""
        return asyncio_.timers(self._loop)

    @cached_property
    def _due(self) -> dict[int, asyncio.TimerHandle]:
        """The timer that wakes each, by the id of who is woken. Each connection's pings have one: not for nothing."""
        due: dict[int, asyncio.TimerHandle] = {}
        for handle in self.handles:
            for waiter in (*asyncio_.woken_by(handle), *anyio_.timed(handle)):
                due.setdefault(id(waiter), handle)
        return due

    def left_ms(self, handle: asyncio.TimerHandle) -> float:
        """Milliseconds until a timer fires."""
        return max(0.0, round((handle.when() - self._now) * 1000, 3))

    def wakes_ms(self, task: asyncio.Task[Any]) -> float:
        """Milliseconds until a timer wakes the task, itself or through tasks that it waits for; -1: none does."""
        found: list[asyncio.TimerHandle] = []
        waits_for: asyncio.Future[Any] | None = task
        for _ in range(8):
            if (handle := self._due.get(id(waits_for))) is not None:
                found.append(handle)
            waits_for = asyncio_.waits_for(waits_for) if isinstance(waits_for, asyncio.Task) else None
        return self.left_ms(min(found, key=lambda handle: handle.when())) if found else -1.0
