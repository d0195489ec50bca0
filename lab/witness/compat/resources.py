"""The trial's threads, queues, places, pools and caches: what one can have too many of, or too few."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import anyio

from lab.witness.compat import anyio_, asyncio_, containers, queue_, sqlalchemy_, threading_
from lab.witness.compat.timing import ended

SECONDS = 1.0
"""For a thread to begin."""


async def threads() -> bool:
    """One thread, of an executor's: where it stands and whose it is. Of anyio's pool, only what is read unstarted."""
    one = _Standing()
    with ThreadPoolExecutor(1) as executor:
        try:
            executor.submit(one.stand)
            executor.submit(int)
            if not one.began.wait(SECONDS):
                return False
            stack = list(threading_.stack(threading_.frames()[one.ident]))
            stands = any(frame.f_code is _Standing.stand.__code__ for frame in stack)
            pooled = sum(map(threading_.is_pooled, stack)) == 1 and not any(map(anyio_.is_worker, stack))
            counted = (threading_.threads_of(executor), threading_.work_left(executor), threading_.waiting(one.go))
        finally:
            one.go.set()
    return stands and pooled and counted == (1, 1, 1) and anyio_.can_tell_workers()


class _Standing:
    """Work that waits until it is let go."""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()
        self.ident = 0

    def stand(self) -> None:
        """Where the thread stands."""
        self.ident = threading.get_ident()
        self.began.set()
        self.go.wait()


async def queues() -> bool:
    """One queue of each sort: how much is in it, and who waits for it."""
    empty: asyncio.Queue[int] = asyncio.Queue()
    full: asyncio.Queue[int] = asyncio.Queue(1)
    full.put_nowait(1)
    waiters = [asyncio.create_task(empty.get()), asyncio.create_task(full.put(2))]
    try:
        await asyncio.sleep(0)
        ours = (asyncio_.getting(empty), asyncio_.putting(empty), asyncio_.getting(full), asyncio_.putting(full))
    finally:
        for one in waiters:
            await ended(one)
    return ours == (1, 0, 0, 1) and full.qsize() == 1 and _between_threads() and _streams()


def _between_threads() -> bool:
    known: queue.Queue[int] = queue.Queue()
    simple: queue.SimpleQueue[int] = queue.SimpleQueue()
    known.put(1)
    simple.put(1)
    return (queue_.items(known), queue_.unfinished(known), queue_.items(simple)) == (1, 1, 1)


def _streams() -> bool:
    send, receive = anyio.create_memory_object_stream[int](2)
    with send, receive:
        send.send_nowait(1)
        return anyio_.items(send) == (1, 2)


async def places() -> bool:
    """One semaphore, one lock, one limiter of each sort, with one place taken; and one that waits."""
    return await _places() and _places_between_threads() and _places_of_anyio()


async def _places() -> bool:
    semaphore, lock, event, condition = asyncio.Semaphore(2), asyncio.Lock(), asyncio.Event(), asyncio.Condition()
    await semaphore.acquire()
    await lock.acquire()
    waiters = [asyncio.create_task(one) for one in (event.wait(), lock.acquire())]
    try:
        await asyncio.sleep(0)
        waits = (
            asyncio_.waiting(event),
            asyncio_.waiting(lock),
            asyncio_.waiting(semaphore),
            asyncio_.waiting(condition),
        )
        return asyncio_.free_places(semaphore) == 1 and lock.locked() and waits == (1, 1, 0, 0)
    finally:
        for one in waiters:
            await ended(one)


def _places_between_threads() -> bool:
    semaphore = threading.Semaphore(2)
    semaphore.acquire()
    return threading_.free_places(semaphore) == 1 and threading_.waiting(semaphore) == 0


def _places_of_anyio() -> bool:
    limiter, semaphore, lock, borrower = anyio.CapacityLimiter(2), anyio.Semaphore(2), anyio.Lock(), object()
    limiter.acquire_on_behalf_of_nowait(borrower)
    semaphore.acquire_nowait()
    free = anyio_.free_places(limiter), anyio_.free_places(semaphore), anyio_.free_places(lock)
    return free == (1, 1, 1) and anyio_.borrowers(limiter) == (borrower,) and anyio_.waiting(limiter) == 0


async def pools() -> bool:
    """One pool of SQLAlchemy's, if anybody uses it, with one connection out."""
    module: Any = sys.modules.get(sqlalchemy_.MODULE)
    if module is None:
        return True
    pool = module.QueuePool(_Connection)
    out = pool.connect()
    try:
        return sqlalchemy_.is_pool(pool) and sqlalchemy_.lent(pool) == 1
    finally:
        out.close()
        pool.dispose()


class _Connection:
    """As much of a driver's connection as a pool asks for."""

    def rollback(self) -> None:
        """Nothing to undo."""

    def close(self) -> None:
        """Nothing to close."""


async def caches() -> bool:
    """One cache and one ring: how much is in them, and how much may be."""
    cached = lru_cache(maxsize=2)(int)
    cached("1")
    return containers.filled(cached) == (1, 2) and containers.filled(deque([1], maxlen=3)) == (1, 3)
