"""The heartbeat task: one a session, cancelled with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import WebSocketDisconnect

if TYPE_CHECKING:
    from lab.servers.reference.session import Session

BEAT_SECONDS = 0.5


class Heartbeat:
    """Tells the client every BEAT_SECONDS that the server is there."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start beating. The reference is kept: the loop itself keeps only a weak one."""
        self.task = asyncio.create_task(self.beat(), name=f"heartbeat of {self.session.user}")

    def stop(self) -> None:
        """Stop beating; harmless if it never began."""
        if self.task is not None:
            self.task.cancel()

    async def beat(self) -> None:
        """Send a beat now and then, until the session ends or the peer is gone."""
        try:
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                await self.session.send({"type": "heartbeat"})
        except (WebSocketDisconnect, RuntimeError):
            pass  # The receive loop is the one that says so: a send cannot tell a clean end from a dirty one.
        except TimeoutError:
            # Its buffers are full, and behind them the receive loop hears nothing: not even pings help (measured).
            self.session.manager.evict(self.session)
