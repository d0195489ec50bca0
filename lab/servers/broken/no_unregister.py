"""The heartbeat stops, the row is closed, and the manager keeps its entry: the leak that grows with every visitor."""

from lab.servers.reference.app import create_app
from lab.servers.reference.presence import Ending
from lab.servers.reference.session import Session

caught_by = (
    *("away", "bug", "close", "crowd", "cut", "kill", "nat", "pause", "quit", "reset"),
    *("server-stop", "stall", "unplug"),
)
findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "counter-is-true": "*",
}


class NoUnregister(Session):
    async def close(self, ending: Ending) -> None:
        if not self.closed:
            self.closed = True
            self.heartbeat.stop()
            await self.presence.end(self.row, ending)  # BUG: who unregisters?


app = create_app(NoUnregister)
