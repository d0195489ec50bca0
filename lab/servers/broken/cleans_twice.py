"""The cleanup runs twice for one end: the counter goes down by two, and other people's connections vanish from it."""

from lab.servers.reference.app import create_app
from lab.servers.reference.presence import Ending
from lab.servers.reference.session import Session

caught_by = (
    *("away", "bug", "close", "crowd", "cut", "kill", "nat", "pause", "quit", "reset"),
    *("server-stop", "stall", "unplug"),
)
findings: dict[str, str] = {}


class CleansTwice(Session):
    async def close(self, ending: Ending) -> None:
        await super().close(ending)
        self.closed = False  # BUG: nothing remembers that it was done
        await super().close(ending)


app = create_app(CleansTwice)
