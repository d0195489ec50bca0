"""Pings and heartbeats every 20 s, as is usual: what the way between forgets by then is gone, and nobody knows."""

import asyncio

from lab.servers.reference.app import create_app
from lab.servers.reference.heartbeat import Heartbeat
from lab.servers.reference.session import Session

caught_by = ("nat", "pause", "stall", "unplug")
findings: dict[str, str] = {
    "noticed-within": "pause stall",
    "no-orphan handler": "pause stall",
    "no-orphan socket": "pause stall",
    "no-orphan row": "pause stall",
}

PING_SECONDS = 20.0  # BUG: uvicorn's own default, and longer than some memories


class Seldom(Heartbeat):
    async def beat(self) -> None:
        await asyncio.sleep(PING_SECONDS)  # BUG: the same again
        await super().beat()


class SpeaksTooSeldom(Session):
    heartbeat_type = Seldom


app = create_app(SpeaksTooSeldom)
