"""Tasks born in a connection's context: which still run, and where each one waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from lab.witness.connections import connection

_LIBRARY = str(Path(asyncio.__file__).parent)


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

    def alive(self) -> Iterator[tuple[str, str]]:
        """The connection and a sentence for each task that has not ended: `beat() waits at heartbeat.py:38`."""
        for task, name in list(self.born.items()):
            if not task.done():
                yield name, where(task)


def where(task: asyncio.Task[Any]) -> str:
    """Which coroutine a task runs and the line of the application's in which it waits."""
    coro: Any = task.get_coro()
    title = getattr(coro, "__qualname__", repr(coro))
    deepest = None
    while coro is not None:
        frame: FrameType | None = getattr(coro, "cr_frame", None)
        if frame is not None and not frame.f_code.co_filename.startswith(_LIBRARY):
            deepest = frame
        coro = getattr(coro, "cr_await", None)
    if deepest is None:
        return f"{title}() waits"
    return f"{title}() waits at {Path(deepest.f_code.co_filename).name}:{deepest.f_lineno}"
