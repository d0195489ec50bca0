"""Threads that a connection's handler started, and that still run something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context
from functools import wraps
from itertools import count
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from lab.witness.code import is_ours, spot
from lab.witness.compat import threading_
from lab.witness.connections import connection


class Threads:
    """Remembers in which connection's context a thread was started, and for which one a pool's thread works."""

    def __init__(self) -> None:
        self.born: WeakKeyDictionary[threading.Thread, str] = WeakKeyDictionary()
        self.working: dict[int, str] = {}
        self._given, self._done = count(), count()

    @property
    def in_flight(self) -> int:
        """How much work was given to pools that is not done. (To ask takes one from each of two counters.)"""
        return next(self._given) - next(self._done)

    def watch(self) -> None:
        """From now on, for the whole process. Pools keep their threads: there it is the work that counts."""
        start, submit = threading.Thread.start, ThreadPoolExecutor.submit
        watched = self

        @wraps(start)
        def starting(thread: threading.Thread) -> None:
            if name := connection.get():
                watched.born[thread] = name
            start(thread)

        @wraps(submit)  # type: ignore[arg-type]  # mypy cannot bind its generics
        def submitting(
            pool: ThreadPoolExecutor, work: Callable[..., Any], /, *args: Any, **options: Any
        ) -> Future[Any]:
            name = connection.get()
            found = submit(pool, watched.on_behalf(name, work) if name else work, *args, **options)
            next(watched._given)
            found.add_done_callback(lambda _: next(watched._done))
            return found

        threading.Thread.start = starting  # type: ignore[assignment,method-assign]  # there is no hook
        ThreadPoolExecutor.submit = submitting  # type: ignore[assignment,method-assign]  # nor here

    def on_behalf(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The work, and while it runs its thread is known as that connection's."""

        def working(*args: Any, **options: Any) -> Any:
            me = threading.get_ident()
            self.working[me] = name
            try:
                return work(*args, **options)
            finally:
                self.working.pop(me, None)

        return working

    def alive(self) -> Iterator[tuple[str, str]]:
        """The connection, and where it is, of each thread that runs code of the application's."""
        frames = threading_.frames()
        started = {thread.ident: name for thread, name in list(self.born.items())}
        for ident, frame in frames.items():
            stack = list(_stack(frame))
            works = self.working.get(ident) or _borrowed(stack)
            name = works or ("" if _pooled(stack) else started.get(ident, ""))
            mine = next((one for one in stack if is_ours(one.f_code.co_filename)), None)
            if name and mine is not None:
                yield name, f"thread {mine.f_code.co_qualname}() runs at {spot(mine)}"
            elif works:  # such as queue.get(), given to a pool as it is; a library's own thread is nobody's orphan
                yield works, f"thread {stack[0].f_code.co_qualname}() runs"


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _pooled(stack: list[FrameType]) -> bool:
    names = {frame.f_code.co_qualname for frame in stack if not is_ours(frame.f_code.co_filename)}
    return not names.isdisjoint(("_worker", "WorkerThread.run"))  # concurrent.futures' and anyio's


def _borrowed(stack: list[FrameType]) -> str:
    """anyio's pool runs each piece of work in the context of whoever asked for it."""
    for frame in stack:
        if frame.f_code.co_qualname == "WorkerThread.run":
            context = frame.f_locals.get("context")
            return context.get(connection, "") if isinstance(context, Context) else ""
    return ""
