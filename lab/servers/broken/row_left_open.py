"""The entry and the heartbeat go; the database row says for ever that she is connected."""

from lab.servers.reference.app import create_app
from lab.servers.reference.presence import Ending
from lab.servers.reference.session import Session

caught_by = (
    *("away", "bug", "close", "crowd", "cut", "kill", "nat", "pause", "quit", "reset"),
    *("server-stop", "stall", "unplug"),
)
findings: dict[str, str] = {
    "no-orphan row": "close kill quit away reset pause stall garbage crowd stop",
    "no-orphan connection": "close kill pause rejoin garbage crowd",
}
holder = "Reaper.run() → Reaper.run(): self.presence.open"


class RowLeftOpen(Session):
    async def close(self, ending: Ending) -> None:
        self.row = None  # BUG: and with it goes the only way to close it
        await super().close(ending)


app = create_app(RowLeftOpen)
