"""The entry and the row go; the heartbeat task stays, and shrugs off every failed send."""

import asyncio

from lab.servers.reference.app import create_app
from lab.servers.reference.heartbeat import BEAT_SECONDS, Heartbeat
from lab.servers.reference.session import Session

caught_by = ("away", "bug", "close", "crowd", "cut", "kill", "nat", "pause", "quit", "reset", "stall", "unplug")
findings: dict[str, str] = {"no-orphan task": "close kill quit away reset pause stall talk garbage flood crowd"}


class Immortal(Heartbeat):
    def stop(self) -> None:
        """BUG: nobody cancels the task."""

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.session.deliver({"type": "heartbeat"})  # BUG: and no failure ends it


app = create_app(type("ForgetsHeartbeat", (Session,), {"heartbeat_type": Immortal}))
