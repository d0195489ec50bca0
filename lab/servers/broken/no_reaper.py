"""Nobody closes the rows of a server that was killed."""

from lab.servers.reference.app import create_app
from lab.servers.reference.reaper import Reaper

caught_by = ("server-kill",)
findings: dict[str, str] = {}


class NoReaper(Reaper):
    async def tick(self) -> None:
        """BUG: half a round."""
        await self.presence.renew()


app = create_app(reaper_type=NoReaper)
