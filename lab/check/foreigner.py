"""A visit to a server that nobody looks inside: how many connections it has must be told from without."""

from __future__ import annotations

from lab.check.visit import Visit
from lab.steps import actor_of


class Foreigner(Visit):
    """As any visit; but a client that is silent may have been given up, and only the server's sockets tell."""

    def settled(self) -> None:
        """As any visit, unless it is not known how many connections are open: then no counter is wrong."""
        if self._silenced() and self.timeline.last("sockets", source="lab") is None:
            self.look()
        else:
            super().settled()

    def _open(self) -> int:
        clients, silenced = super()._open(), self._silenced()
        sockets = self.timeline.last("sockets", source="lab")
        if not silenced or sockets is None:
            return clients
        others = clients - silenced
        return others + min(silenced, max(0, int(sockets.number("count") or 0) - others))

    def _silenced(self) -> int:
        """How many of those that are open for their clients belong to one that is silent."""
        closed = {seen.who for seen in self.timeline.select("closed")}
        connected = {seen.who for seen in self.timeline.select("connected")} - closed
        paused = {seen.who for seen in self.timeline.select("injected") if seen.text("seen") == "stopped"}
        return sum(actor_of(who) in paused and self.nemesis.touches(actor_of(who)) for who in connected)

    def _hurry(self, longest_ms: float = 0.0, *, timeouts: bool = False) -> bool:
        del longest_ms, timeouts
        return False  # nobody in there would hear it
