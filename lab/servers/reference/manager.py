"""The connection manager: who is connected, how many, and how to talk to all of them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.servers.reference.session import Session

log = logging.getLogger("reference")


class Manager:
    """Keyed by session, not by user: a newcomer under the same name never meets her own ghost."""

    def __init__(self) -> None:
        self.sessions: dict[Session, asyncio.Task[Any] | None] = {}

    @property
    def count(self) -> int:
        """How many sessions are open."""
        return len(self.sessions)

    def register(self, session: Session) -> None:
        """Add a session, and the task that serves it."""
        self.sessions[session] = asyncio.current_task()
        self.log_count(session, "connected")

    def unregister(self, session: Session) -> None:
        """Remove a session; one that never was registered is no error."""
        self.sessions.pop(session, None)
        self.log_count(session, "disconnected")

    def log_count(self, session: Session, event: str) -> None:
        """The line that tells whether you leak."""
        log.info("%s %s; active connections: %d", session.user, event, self.count)

    def evict(self, session: Session) -> None:
        """End a session whose peer does not read; its handler's `finally` does the rest."""
        task = self.sessions.get(session)
        if task is not None:
            session.evicted = True
            task.cancel()

    async def broadcast(self, message: dict[str, Any]) -> None:
        """Send to everybody at once, over a copy: neither a dead peer nor a stalled one costs the others."""
        await asyncio.gather(*(session.deliver(message) for session in tuple(self.sessions)))
