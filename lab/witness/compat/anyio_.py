"""anyio, on asyncio: whose work a thread of its pool does, whom a timeout wakes, and what is left of its limiters."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from contextvars import Context
from operator import attrgetter
from types import FrameType
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from lab.witness.compat.asyncio_ import callback_of

READ_FROM = {"anyio": ("4.16",)}

BACKEND = "anyio._backends._asyncio"
WORKER = attrgetter("WorkerThread.run.__code__")
WORKS_IN = "context"
SCOPE, TIMED = attrgetter("CancelScope"), attrgetter("_host_task")

with suppress(ImportError):  # where it has moved, the trial says so
    importlib.import_module(BACKEND)  # now, and not when the loop runs: it takes a while


def is_worker(frame: FrameType) -> bool:
    """Whether a frame is the outermost of a thread of anyio's pool, which also runs FastAPI's plain functions."""
    backend = sys.modules.get(BACKEND)
    return backend is not None and frame.f_code is WORKER(backend)


def can_tell_workers() -> bool:
    """Whether such a thread has what is read of it. It is not started for that: it would be the application's."""
    return WORKS_IN in WORKER(sys.modules[BACKEND]).co_varnames


def works_in(frame: FrameType) -> Context | None:
    """The context of whoever gave such a thread its work; None if it has none."""
    found = frame.f_locals.get(WORKS_IN)
    return found if isinstance(found, Context) else None


def timed(handle: asyncio.Handle) -> Iterator[asyncio.Task[Any]]:
    """The task in whose `move_on_after()` or `fail_after()` a timer fires.

    Such a timer looks at the loop's clock and is set again if it is early: it cannot be called before its time.
    """
    backend, owner = sys.modules.get(BACKEND), getattr(callback_of(handle), "__self__", None)
    if backend is not None and isinstance(owner, SCOPE(backend)) and isinstance(task := TIMED(owner), asyncio.Task):
        yield task


def free_places(thing: anyio.CapacityLimiter | anyio.Semaphore | anyio.Lock) -> float:
    """How many may still acquire it."""
    if isinstance(thing, anyio.CapacityLimiter):
        return thing.available_tokens
    if isinstance(thing, anyio.Semaphore):
        return thing.value
    return 0 if thing.locked() else 1


def borrowers(limiter: anyio.CapacityLimiter) -> tuple[object, ...]:
    """Who holds a place: tasks, unless another was named."""
    return tuple(limiter.statistics().borrowers)


def waiting(thing: anyio.CapacityLimiter | anyio.Semaphore | anyio.Lock | anyio.Event | anyio.Condition) -> int:
    """How many tasks wait for it."""
    return thing.statistics().tasks_waiting


def items(stream: MemoryObjectSendStream[Any]) -> tuple[int, float]:
    """How much was sent that nobody has received, and for how much there is room before a sender must wait."""
    said = stream.statistics()
    return said.current_buffer_used + said.tasks_waiting_send, said.max_buffer_size
