"""The database row: one a session, opened at connect, closed with the code at the end."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

LEASE_SECONDS = 1.0
"""How long a row counts as alive without being renewed. Short, for a lab."""


SETTLE_SECONDS = 1.0
"""How long a shutdown waits for sessions to close their rows."""


class Base(DeclarativeBase):
    """The tables of this server."""


class Row(Base):
    """One session. Times are seconds since the epoch."""

    __tablename__ = "session"

    id: Mapped[int] = mapped_column(primary_key=True)
    client: Mapped[str]
    connected_at: Mapped[float]
    ended_at: Mapped[float | None]
    code: Mapped[int | None]
    reason: Mapped[str | None]
    boot_id: Mapped[str]
    lease_until: Mapped[float]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended. The default is for a handler that was cancelled: it was told nothing."""

    code: int | None = None
    reason: str = "cancelled"


class Presence:
    """Who is connected, as the database sees it.

    The database is DATABASE_URL, an SQLAlchemy URL for an async driver; by default a file in the current folder.

    Attributes:
        boot_id: this process; rows of any other are somebody else's, or nobody's.
    """

    def __init__(self) -> None:
        self.boot_id = ""
        self.engine: AsyncEngine | None = None
        self.writing: set[asyncio.Task[Any]] = set()
        self.open: set[int] = set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Hold the database open; on the way out, wait for every write that a `finally` has started."""
        self.boot_id = uuid.uuid4().hex
        url = os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///presence.sqlite3")
        # One connection: SQLite takes one writer at a time anyway, and a queue beats "database is locked".
        self.engine = create_async_engine(url, pool_size=1, max_overflow=0)
        event.listen(self.engine.sync_engine, "connect", _pragmas)
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        try:
            yield
        finally:
            await self._settle()
            await self.engine.dispose()

    async def begin(self, client: str) -> int:
        """Open a row and return its id, unless cancelled: then the row is closed again before that is passed on."""
        now = time.time()
        values = {"client": client, "connected_at": now, "boot_id": self.boot_id, "lease_until": now + LEASE_SECONDS}
        writing = self._start(self._insert(values))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            self._start(self._close_when_written(writing))
            raise

    async def end(self, row: int | None, ending: Ending) -> None:
        """Close a row. The write goes on to its end even if whoever awaits it is cancelled."""
        if row is not None:
            await asyncio.shield(self._start(self._close(row, ending)))

    async def renew(self) -> None:
        """Extend the lease of every open row of this server process."""
        mine = update(Row).where(Row.boot_id == self.boot_id, Row.ended_at.is_(None))
        await self.execute(mine.values(lease_until=time.time() + LEASE_SECONDS))

    async def reap(self) -> list[str]:
        """Close the rows of processes that died with sessions open; returns whose they were."""
        now = time.time()
        orphan = (Row.boot_id != self.boot_id, Row.ended_at.is_(None), Row.lease_until < now)
        closing = update(Row).where(*orphan).values(ended_at=now, reason="reaped").returning(Row.client)
        return [client for (client,) in await self.execute(closing)]

    async def execute(self, statement: Any) -> list[Any]:
        """Run one statement in a transaction of its own; returns its rows, if it has any."""
        assert self.engine is not None, "Presence.opened() is not entered"
        async with self.engine.begin() as connection:
            result = await connection.execute(statement)
            return list(result) if result.returns_rows else []

    async def _settle(self) -> None:
        """Wait until every row is closed and written: a handler that was cancelled just now is still on its way."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (self.writing or self.open) and time.monotonic() < deadline:  # noqa: ASYNC110  # once, at the very end
            await asyncio.sleep(0.01)

    async def _insert(self, values: dict[str, Any]) -> int:
        ((row,),) = await self.execute(insert(Row).values(values).returning(Row.id))
        self.open.add(row)
        return int(row)

    async def _close(self, row: int, ending: Ending) -> None:
        closing = update(Row).where(Row.id == row)
        self.open.discard(row)
        await self.execute(closing.values(ended_at=time.time(), code=ending.code, reason=ending.reason))

    async def _close_when_written(self, writing: asyncio.Task[int]) -> None:
        await self._close(await writing, Ending())

    def _start(self, write: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(write)
        self.writing.add(task)
        task.add_done_callback(self.writing.discard)
        return task


def _pragmas(connection: Any, _record: Any) -> None:
    """WAL lets the lab read while the server writes; NORMAL syncs at checkpoints, not at every commit."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}").close()
