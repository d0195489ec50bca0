"""The first visit: two clients come and one talks; if the other hears her, a third comes: do all hear, or only one?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lab import evidence
from lab.backends.actors import StageError
from lab.check.asking import all_heard
from lab.check.guest import Guest
from lab.faults import SERVER
from lab.manners import Manners, learn, repeats
from lab.scenario import Scenario
from lab.steps import Connect, Rest
from lab.timeline import Observation, Timeline

LISTEN_SECONDS = 0.7
"""How long it is listened to before anybody speaks."""

TAKE_SECONDS = 1.6
"""How long it may take to answer what is said."""

LOOK_SECONDS = 0.2
"""How long what a server at rest has sent may be on its way to a client."""

GUESTS = (Connect("bob"), Connect("carol"), Connect("erin"))
MEETING = Scenario("meeting", GUESTS, (Rest("bob", LISTEN_SECONDS),), 1.0, (), "")


class Meeting(Guest):
    """Learns the manners. Nobody is accused of anything here."""

    _began, _asked = 0.0, ""

    def learn(self) -> Manners:
        """Connect, listen, speak twice.

        Raises:
            StageError: nobody is let in, everybody is thrown out at once, or the handler dies of being connected to.
        """
        path = self._asked = self._path()
        for one in dict.fromkeys((path, path.replace("{name}", "{n}"))):  # some servers want a number for a name
            self.manners = Manners(path=one, answers=False)
            if self._come_in():
                break
            if self._timed_out():
                break  # a number would have to wait as long
            # Both may have died; the second one's death must not be taken for one of the next attempt.
            super()._wait(lambda _: all(self._since("returned", who) for who in ("bob", "carol")), LOOK_SECONDS)
        self._let_in()
        for _ in range(2):
            asked = self.timeline.elapsed()
            self.say("carol")
            if not self._hears("carol", asked=asked):
                break  # it does not answer; and what is not received yet must not pile up
        self.census()
        learned = learn(self.timeline, self.manners.path, self.subject.talk, "carol", "bob")
        return replace(learned, relays=False) if learned.relays and not self._all_hear() else learned

    def _all_hear(self) -> bool:
        """Whether what one says is passed on to all: of two, the other one may only be her partner, or the next."""
        self._connect(Connect("erin"))
        if self._since("connected", "erin") is None:
            return True  # there are never more than two
        self._listen(0.0)
        asked = self.timeline.elapsed()
        self.say("carol")
        listeners = ("bob", "erin")
        self._hears(*listeners, asked=asked)
        return all(repeats(self.timeline, who, self.subject.talk, asked) for who in listeners)

    def _come_in(self) -> bool:
        """Whether both are let in, and are not thrown out while they only listen."""
        self._began = self.timeline.elapsed()
        for client in ("bob", "carol"):
            self._connect(Connect(client))
            if self._since("connected", client) is None:
                self.census()  # whoever is refused may know it before the server has said why; now it has
                return False
        self._listen(LISTEN_SECONDS)
        if _over(self.timeline):
            self.census()
        return self._death() is None and not self._thrown_out()

    def _wait(self, fact: Callable[[Timeline], bool], seconds: float) -> bool:
        """As any guest; but once a handler has died, nothing else will be."""
        super()._wait(lambda seen: fact(seen) or self._death() is not None, seconds)
        return fact(self.timeline)

    def _death(self) -> Observation | None:
        """The death of a handler to which nobody had said anything."""
        return next(filter(None, (self._unprovoked(who) for who in ("bob", "carol"))), None)

    def _unprovoked(self, who: str) -> Observation | None:
        died = self._since("returned", who)
        return died if died is not None and died.text("said") and not self._spoken(died.at) else None

    def _thrown_out(self) -> Observation | None:
        """How it ended for the second one, if it ended for both before anybody said anything."""
        ends = [self._since("closed", who) for who in ("bob", "carol")]
        return None if None in ends or self._spoken(self.timeline.elapsed()) else ends[-1]

    def _spoken(self, until: float) -> bool:
        """Whether anybody's message had come by then: to the application, if somebody looks inside."""
        what = "delivered" if self.subject.witnessed else "ordered"
        return any(self._began <= seen.at <= until for seen in self.timeline.select(what))

    def _since(self, what: str, who: str) -> Observation | None:
        """The first such fact since they came; what came before was another attempt."""
        return next((seen for seen in self.timeline.select(what, who) if seen.at >= self._began), None)

    def _listen(self, seconds: float) -> None:
        """Let so much of the server's time pass, until somebody has died or been hung up on."""
        if self.subject.witnessed:
            self.move(seconds)
            if self._death() is None:
                self._deliver(("bob", "carol"))  # a client may not know yet that the server has closed
        else:
            self._wait(_over, seconds)

    def _hears(self, *people: str, asked: float) -> bool:
        """Whether each gets something, now or when so much of the server's time has passed."""
        heard = partial(all_heard, people, asked)
        if self.subject.witnessed:
            self.rest()
            if not self._wait(heard, LOOK_SECONDS):
                self.move(TAKE_SECONDS)
            return self._wait(heard, LOOK_SECONDS)
        return self._wait(heard, TAKE_SECONDS)

    def _path(self) -> str:
        """The one that was asked for; else /ws, or the only one there is."""
        known = self._routes()
        if self.subject.path is not None:
            return "/" + self.subject.path.removeprefix("/")
        if not known or "/ws" in known:
            return "/ws"
        if len(known) > 1:
            raise StageError(f"it has several WebSocket routes; say which one with --path: {', '.join(known)}")
        return known[0]

    def _routes(self) -> list[str]:
        said = self.timeline.last("listening", source=SERVER)
        found = said.detail.get("routes") if said else None
        return [str(one) for one in found] if isinstance(found, list) else []

    def _timed_out(self) -> bool:
        refused = self.timeline.last("refused")
        return refused is not None and refused.text("error") == "TimeoutError"

    def _let_in(self) -> None:
        path, server = self._asked, self.stage.actor(SERVER)
        if died := self._death():
            at = f" at {died.text('at_line')}" if died.text("at_line") else ""
            raise StageError(f"your handler dies on connect: {died.text('said')}{at}")
        if over := self._thrown_out():
            how = f"{over.code()} {over.text('reason')}".rstrip()
            raise StageError(f"it hangs up on everybody who connects to {path}: {how}; {self._help()}")
        if server.gone:
            raise server.why_gone()
        if self._since("connected", "bob") is None:
            raise StageError(f"it lets nobody in at {path}: {self._why()}; {self._help()}")
        if self._since("connected", "carol") is None:
            raise StageError(f"it lets only one client in at {path}: {self._why()}; {self._help()}")

    def _why(self) -> str:
        refused = self.timeline.last("refused")
        waits = self._waits() if refused is None or self._timed_out() else ""
        return waits or (" ".join(refused.text("text").split()) if refused else "no answer")

    def _waits(self) -> str:
        """Where a handler waits instead of accepting."""
        self.census()
        census = evidence.last_census(self.timeline)
        found = (held.evidence for held in census.held if held.kind == "handler") if census else iter(())
        return next((f"the handshake is not answered; {one}" for one in found if one), "")

    def _help(self) -> str:
        known = self._routes()
        routes = f"known routes: {', '.join(known)}; " if known and known != [self._asked] else ""
        return f"{routes}see --path, --query, --header and --subprotocol"


def _over(seen: Timeline) -> bool:
    return seen.first("closed", "carol") is not None
