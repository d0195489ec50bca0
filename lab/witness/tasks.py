"""Tasks born in a connection's context: which still run, where each one waits, and when it will end by itself."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Coroutine, Generator, Iterator
from functools import cached_property, partial
from typing import Any
from weakref import WeakKeyDictionary

from lab.witness.code import is_ours, loops, telling, waits_inside
from lab.witness.connections import connection

AGAIN = 3
"""A callback that was called so often, each time anew, is called for ever."""


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
    """What the loop will wake, and when. Made for one moment: it does not follow the loop.

    Args:
        called: how often a callback of a connection's was brought forward; what comes again and again does not end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, called: Counter[tuple[str, str]]) -> None:
        self._now = loop.time()
        self._called = called
        self._scheduled = getattr(loop, "_scheduled", ())

    @cached_property
    def handles(self) -> list[asyncio.TimerHandle]:
        """Every timer that is to fire."""
        return [one for one in self._scheduled if not one.cancelled()]

    @cached_property
    def _due(self) -> dict[int, asyncio.TimerHandle]:
        """The timer that wakes each, by the id of who is woken. Each connection's pings have one: not for nothing."""
        due: dict[int, asyncio.TimerHandle] = {}
        for handle in self.handles:
            for waiter in _wakes(handle):
                due.setdefault(id(waiter), handle)
        return due

    def left_ms(self, handle: asyncio.TimerHandle) -> float:
        """Milliseconds until a timer fires."""
        return max(0.0, round((handle.when() - self._now) * 1000, 3))

    def outlook(self, task: asyncio.Task[Any]) -> tuple[float, bool]:
        """Milliseconds until a timer wakes the task (-1: none does), and whether it stands in no loop then."""
        handle = self._timer(task)
        if handle is None:
            return -1.0, False
        # The standard library's loops do not count: Queue.get has one, and a timeout round it ends all the same.
        return self.left_ms(handle), not any(map(loops, telling(task.get_coro())))

    def bring_forward(self, task: asyncio.Task[Any], longest_ms: float, *, timeouts: bool) -> bool:
        """Let what the task waits for happen now, as it would later: a sleep is over, or a timeout runs out.

        Args:
            timeouts: timeouts too. Not while something may still come in time.
        """
        handle = self._timer(task)
        if handle is None or not (_is_sleep(handle) or (timeouts and waits_inside(task))):
            return False
        return self._now_instead(handle, longest_ms)

    def bring_callbacks_forward(self, gone: frozenset[str], longest_ms: float) -> int:
        """Call now what the application itself, on behalf of those connections, wanted to be called later."""
        theirs = [(one, _what(one)) for one in self.handles if _born_in(one) in gone and _is_the_applications(one)]
        moved = [what for one, what in theirs if self._now_instead(one, longest_ms)]
        self._called.update(moved)
        return len(moved)

    def awaited(self) -> set[str]:
        """The connections on whose behalf the application wants to be called later."""
        return {_born_in(one) for one in self.handles if _is_the_applications(one)}

    def ends(self, handle: asyncio.TimerHandle) -> bool:
        """Whether, as far as we know, it is not set again each time that it fires."""
        return self._called[_what(handle)] < AGAIN

    def _now_instead(self, handle: asyncio.TimerHandle, longest_ms: float) -> bool:
        if handle.cancelled() or self.left_ms(handle) > longest_ms:
            return False
        private: Any = handle
        private._run()
        handle.cancel()
        return True

    def _timer(self, task: asyncio.Task[Any]) -> asyncio.TimerHandle | None:
        """The timer that it waits for, itself or through tasks that it waits for: the first to fire."""
        found: list[asyncio.TimerHandle] = []
        waits_for: Any = task
        for _ in range(8):
            if waits_for is None:
                break
            if (handle := self._due.get(id(waits_for))) is not None:
                found.append(handle)
            waits_for = getattr(waits_for, "_fut_waiter", None)
        return min(found, key=lambda handle: handle.when(), default=None)


def _what(handle: asyncio.TimerHandle) -> tuple[str, str]:
    private: Any = handle
    return _born_in(handle), getattr(private._callback, "__qualname__", "")


def _born_in(handle: asyncio.TimerHandle) -> str:
    """The connection in whose context it was set, or ""."""
    private: Any = handle
    found: str = private._context.get(connection, "")
    return found


def _is_the_applications(handle: asyncio.TimerHandle) -> bool:
    """Whether it calls a function of the application's, or a method of one of its objects or of a plain container."""
    private: Any = handle
    call = private._callback
    while isinstance(call, partial):
        call = call.func
    code = getattr(getattr(call, "__func__", call), "__code__", None)
    if code is not None:
        return is_ours(code.co_filename)
    return isinstance(getattr(call, "__self__", None), dict | set | list | deque)


def _is_sleep(handle: asyncio.TimerHandle) -> bool:
    private: Any = handle
    return getattr(private._callback, "__name__", "") == "_set_result_unless_cancelled"


def _wakes(handle: asyncio.TimerHandle) -> Iterator[object]:
    """Whom a timer wakes: a sleep's future, the task of a timeout (asyncio's, anyio's), a wait_for of Python 3.11."""
    private: Any = handle
    callback, args = private._callback, private._args or ()
    if args and isinstance(args[0], asyncio.Future):
        yield args[0]
    owner = getattr(callback, "__self__", None)
    for name in ("_task", "_host_task"):
        if isinstance(task := getattr(owner, name, None), asyncio.Task):
            yield task
