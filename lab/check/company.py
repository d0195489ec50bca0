"""Who else is there while clients die: those who are connected, and the bystanders that come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.check.asking import over
from lab.steps import Connect, actor_of

if TYPE_CHECKING:
    from lab.check.visit import Visit


class Company:
    """The clients of one visit that live."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.timeline = visit, visit.timeline

    def living(self) -> list[str]:
        """Those who are connected, and whose client has not met its end."""
        touched = {actor for actor in self.visit.scenario.clients if self.visit.nemesis.touches(actor)}
        ended = {seen.who for seen in self.timeline.select("disconnected")}
        names = {seen.who for seen in self.timeline.select("connected")}
        return sorted(who for who in names - ended if actor_of(who) not in touched and not over(self.timeline, who))

    def bystanders(self) -> set[str]:
        """The bystanders among them."""
        actors = {actor_of(one) for one in self.visit.bystanders()}
        return {who for who in self.living() if actor_of(who) in actors}

    def is_open(self, who: str) -> bool:
        """Whether she has connected, and it is not over for her."""
        return self.timeline.first("connected", who) is not None and not over(self.timeline, who)

    def come_back(self) -> int:
        """Bystanders that were thrown out, for being idle while the clock was moved, connect again: how many."""
        back = 0
        for who in self.visit.bystanders():
            if self.is_open(who):
                continue
            turn = 2
            while self.timeline.first("connected", f"{who}#{turn}") and not self.is_open(f"{who}#{turn}"):
                turn += 1
            if not self.timeline.first("connected", f"{who}#{turn}"):
                self.visit.connect(Connect(f"{who}#{turn}"))
                back += 1
        return back
