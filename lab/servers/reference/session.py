"""A session: whatever open() makes, close() unmakes, exactly once."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

from fastapi import WebSocket, WebSocketDisconnect

from lab.servers.reference.heartbeat import Heartbeat
from lab.servers.reference.manager import Manager
from lab.servers.reference.presence import Ending, Presence

log = logging.getLogger("reference")

SEND_SECONDS = 1.0
"""How long a peer may take to accept one message before it counts as stalled."""


class Session:
    """Everything the server holds for one connection: a manager entry, a heartbeat task, a row."""

    heartbeat_type: ClassVar[type[Heartbeat]] = Heartbeat

    def __init__(self, user: str, websocket: WebSocket, manager: Manager, presence: Presence) -> None:
        self.user = user
        self.websocket = websocket
        self.manager = manager
        self.presence = presence
        self.heartbeat = self.heartbeat_type(self)
        self.row: int | None = None
        self.closed = False
        self.evicted = False

    async def open(self) -> None:
        """Set everything up. Called inside the `try`, so that close() follows however far this came."""
        self.manager.register(self)
        self.heartbeat.start()
        self.row = await self.presence.begin(self.user)

    async def close(self, ending: Ending) -> None:
        """Tear everything down, once. What cannot fail and cannot wait comes first."""
        if self.closed:
            return
        self.closed = True
        self.manager.unregister(self)
        self.heartbeat.stop()
        await self.presence.end(self.row, ending)

    async def send(self, message: dict[str, Any]) -> None:
        """Send to this client alone. A peer that is gone or stalled raises."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.websocket.send_json(message)
        except RuntimeError as gone:  # what uvicorn raises once it has closed by itself, at a shutdown for instance
            raise WebSocketDisconnect(1006) from gone

    async def deliver(self, message: dict[str, Any]) -> None:
        """Send on somebody else's behalf: what this peer's socket has to say is not the sender's business."""
        try:
            await self.send(message)
        except (WebSocketDisconnect, RuntimeError):
            pass  # Gone. Its own receive loop is told, and cleans up.
        except TimeoutError:
            log.warning("%s does not read: dropping the connection", self.user)
            self.manager.evict(self)

    async def apologise(self, code: int, reason: str) -> None:
        """After a bug: a structured error, then a clean close. Either may find the peer gone, or stall."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.websocket.send_json({"type": "error", "error": "internal", "detail": reason})
                await self.websocket.close(code, reason)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            log.info("%s was gone before the apology", self.user)
