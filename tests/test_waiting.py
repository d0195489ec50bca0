"""What a task waits for: something inside the process, or something outside that may be slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from lab.witness.code import frames_of, waits_inside


@asynccontextmanager
async def locked(lock: asyncio.Lock) -> AsyncIterator[None]:
    async with lock:
        yield


class ByHand:
    """What drives a coroutine itself, as some wrappers do."""

    def __init__(self, coro: Coroutine[Any, Any, Any]) -> None:
        self.coro = coro

    def __await__(self) -> Any:
        return self.coro.__await__()


async def behind_a_context_manager(lock: asyncio.Lock) -> None:
    async with locked(lock):
        pass


async def behind_an_exit_stack(lock: asyncio.Lock) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(locked(lock))


async def behind_an_awaitable(lock: asyncio.Lock) -> None:
    await ByHand(behind_a_context_manager(lock))


@pytest.mark.parametrize("wait", [behind_a_context_manager, behind_an_exit_stack, behind_an_awaitable])
def test_a_wait_is_followed_through_an_async_generator(wait: Any) -> None:
    async def play() -> tuple[list[str], bool]:
        lock = asyncio.Lock()
        await lock.acquire()
        task = asyncio.create_task(wait(lock))
        await asyncio.sleep(0)
        try:
            return [frame.f_code.co_name for frame in frames_of(task.get_coro())], waits_inside(task)
        finally:
            task.cancel()

    names, inside = asyncio.run(play())
    assert names[0] == wait.__name__
    assert names[-3:] == ["locked", "__aenter__", "acquire"]
    assert inside


async def beginning(engine: AsyncEngine) -> None:
    async with engine.begin():
        pass


async def connecting(engine: AsyncEngine) -> None:
    async with engine.connect():
        pass


@pytest.mark.parametrize("wait", [beginning, connecting])
def test_who_waits_for_a_pool_of_a_database_waits_for_what_is_outside(wait: Any, tmp_path: Path) -> None:
    async def play() -> bool:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/some.sqlite3", pool_size=1, max_overflow=0)
        async with engine.begin():
            task = asyncio.create_task(wait(engine))
            await asyncio.sleep(0)
            inside = waits_inside(task)
        await task
        await engine.dispose()
        return inside

    assert not asyncio.run(play())
