"""The trial's tasks and timers."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from contextvars import Context, ContextVar
from typing import Any

import anyio

from lab.witness.compat import anyio_, asyncio_

LONG = 3600.0
"""Seconds that no trial waits for."""

_mark: ContextVar[object] = ContextVar("hangup_trial")


async def ended(task: asyncio.Task[Any]) -> None:
    """End a task of a trial's."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def tasks() -> bool:
    """One task: what it waits for, where it stands, and in which context."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    task = loop.create_task(_awaiting(future))
    try:
        await asyncio.sleep(0)
        coro: Any = task.get_coro()
        told = isinstance(asyncio_.context_of(task), Context) or sys.version_info < (3, 12)
        stands = coro.cr_frame.f_code is _awaiting.__code__ and coro.cr_await is not None
        return asyncio_.waits_for(task) is future and stands and told and task in asyncio.all_tasks(loop)
    finally:
        await ended(task)


async def _awaiting(future: asyncio.Future[None]) -> None:
    await future


async def timers() -> bool:
    """One timer: whether it is listed, what it calls and in which context, whom it wakes, and that it can be called."""
    return await _callbacks() and await _timeouts() and _readers()


async def _callbacks() -> bool:
    loop, called = asyncio.get_running_loop(), list[object]()
    future: asyncio.Future[None] = loop.create_future()
    soon = loop.call_soon(called.append, "soon")
    is_ready = any(one is soon for one in asyncio_.ready(loop))
    soon.cancel()
    mark = object()
    context = Context()
    context.run(_mark.set, mark)
    handle = loop.call_later(LONG, called.append, future, context=context)
    try:
        listed = any(one is handle for one in asyncio_.timers(loop))
        calls = asyncio_.callback_of(handle) == called.append and asyncio_.args_of(handle) == (future,)
        theirs = asyncio_.context_of_handle(handle).get(_mark) is mark
        wakes = list(asyncio_.woken_by(handle)) == [future] and not asyncio_.is_sleep(handle)
        asyncio_.run_now(handle)
        return is_ready and listed and calls and theirs and wakes and called == [future]
    finally:
        handle.cancel()


async def _timeouts() -> bool:
    """A sleep, in a timeout of anyio's, in one of asyncio's: each has a timer, and it is known whom that wakes."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(_sleeping())
    try:
        await asyncio.sleep(0)
        handles, sleeps = asyncio_.timers(loop), asyncio_.waits_for(task)
        theirs = (
            sum(task in asyncio_.woken_by(one) for one in handles),
            sum(task in anyio_.timed(one) for one in handles),
        )
        ends = [one for one in handles if any(woken is sleeps for woken in asyncio_.woken_by(one))]
        return sleeps is not None and theirs == (1, 1) and len(ends) == 1 and asyncio_.is_sleep(ends[0])
    finally:
        await ended(task)


async def _sleeping() -> None:
    async with asyncio.timeout(LONG):
        with anyio.move_on_after(LONG):
            await asyncio.sleep(LONG)


def _readers() -> bool:
    """What a loop listens to: a new one to itself alone."""
    loop, (near, far) = asyncio.SelectorEventLoop(), socket.socketpair()
    with near, far:
        try:
            alone = not asyncio_.may_be_woken_from_outside(loop)
            loop.add_reader(near, far.close)
            return alone and asyncio_.may_be_woken_from_outside(loop)
        finally:
            loop.close()
