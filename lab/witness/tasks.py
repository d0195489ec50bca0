"""Tasks born in a connection's context: which still run, where each one waits, and when it will end by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from lab.witness.code import frames_of, is_ours, loops
from lab.witness.connections import connection

LONGEST_MS = 40_000.0
"""A longer sleep is not brought forward: by then uvicorn's own pings would have told of any end (20 s and 20 s)."""


class Tasks:
    """A task factory that remembers, weakly, in which connection's context each task was born."""

    def __init__(self) -> None:
        self.born: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make `loop` create its tasks through this factory."""
        loop.set_task_factory(self._create)

    def _create(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **options: Any,
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **options)
        name = connection.get()
        if name:
            self.born[task] = name
        return task

    def alive(self) -> Iterator[tuple[asyncio.Task[Any], str]]:
        """Each task that has not ended, and the connection it was born in."""
        for task, name in list(self.born.items()):
            if not task.done():
                yield task, name


class Timers:
    """What the loop will wake, and when. Made for one moment: it does not follow the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._now = loop.time()
        self.handles: list[asyncio.TimerHandle] = [
            one for one in getattr(loop, "_scheduled", ()) if not one.cancelled()
        ]
        self._due: dict[int, asyncio.TimerHandle] = {}
        for handle in self.handles:
            for thing in getattr(handle, "_args", None) or ():
                if isinstance(thing, asyncio.Future):  # how asyncio.sleep() waits
                    self._due[id(thing)] = handle

    def left_ms(self, handle: asyncio.TimerHandle) -> float:
        """Milliseconds until a timer fires."""
        return max(0.0, round((handle.when() - self._now) * 1000, 3))

    def outlook(self, task: asyncio.Task[Any]) -> tuple[float, bool]:
        """Milliseconds until a timer wakes the task (-1: none does), and whether it stands in no loop then."""
        sleep = self._sleep(task)
        if sleep is None:
            return -1.0, False
        mine = [frame for frame in frames_of(task.get_coro()) if is_ours(frame.f_code.co_filename)]
        return self.left_ms(self._due[id(sleep)]), bool(mine) and not any(map(loops, mine))

    def bring_forward(self, task: asyncio.Task[Any]) -> bool:
        """Let the task's sleep be over now, as it would be later; whether it slept."""
        sleep = self._sleep(task)
        if sleep is None or sleep.done() or self.left_ms(self._due[id(sleep)]) > LONGEST_MS:
            return False
        self._due[id(sleep)].cancel()
        sleep.set_result(None)
        return True

    def _sleep(self, task: asyncio.Task[Any]) -> asyncio.Future[Any] | None:
        """The sleep that it waits for, itself or through tasks that it waits for."""
        waits_for: Any = getattr(task, "_fut_waiter", None)
        for _ in range(8):
            if waits_for is None or id(waits_for) in self._due:
                break
            waits_for = getattr(waits_for, "_fut_waiter", None)
        return waits_for if id(waits_for) in self._due else None
