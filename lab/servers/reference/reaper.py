"""The reaper: closes the rows of a server that was killed before it could."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from lab.servers.reference.presence import LEASE_SECONDS, Presence

log = logging.getLogger("reference")


class Reaper:
    """Renews this process's leases, and closes rows of other processes whose lease has run out.

    A SIGKILL runs no `finally`, so the next process must do it; and it must wait for the lease, because
    the rows of a process that is still alive look the same.
    """

    def __init__(self, presence: Presence) -> None:
        self.presence = presence

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Reap at once and then now and then, until left."""
        task = asyncio.create_task(self.run(), name="reaper")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def run(self) -> None:
        """Renew and reap, several times a lease."""
        while True:
            try:
                await self.tick()
            except SQLAlchemyError:
                log.exception("the reaper's round failed; the next one comes")  # leases must go on being renewed
            await asyncio.sleep(LEASE_SECONDS / 4)

    async def tick(self) -> None:
        """One round."""
        await self.presence.renew()
        for client in await self.presence.reap():
            log.warning("reaped: a row of %s outlived its server", client)
