"""What is asked of the actors of a check: that the server be at rest, its clock be moved, and clients have heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from lab.check.outside import is_stopped
from lab.check.subject import Subject
from lab.clock import now
from lab.faults import SERVER
from lab.invariants.lost import is_lost
from lab.runner import CONNECT_SECONDS, Play
from lab.steps import actor_of
from lab.timeline import Json, Observation, Timeline

TURN_SECONDS = 5.0
"""How long a server is waited for before anybody looks whether its loop turns at all."""

PROMPT_SECONDS = 0.05
"""How long an answer is waited for before anybody asks whether the server is at rest."""

LONG_SECONDS, PATIENT_SECONDS = 10.0, 1.5
"""In real time, a wait for longer than the first is not made; no wait is longer than the second."""

MOVE_SECONDS = 60.0
"""How long a move of the clock may take, of the machine's time."""


class Asking(Play):
    """A play in which the server can be asked to rest, and to let time pass.

    Attributes:
        subject: what is graded.
        why: why the server's clock could not be moved, or "".
    """

    subject = Subject()
    why = ""

    def census(self) -> None:
        """As any play; a server that is not witnessed cannot be asked."""
        if self.subject.witnessed and not is_lost(self.timeline):
            self._next_census = 0.0  # it is asked when it is at rest
            super().census()

    def rest(self) -> None:
        """Wait until the server is at rest."""
        self.move(0.0)

    def move(self, seconds: float) -> None:
        """Move the server's clock on; with 0, only wait until it is at rest."""
        if is_lost(self.timeline) or self.stage.actor(SERVER).gone:
            return
        if self.subject.real_time and seconds:
            self._let_pass(seconds)
            seconds = 0.0
        ask = self._order_move(seconds)
        server = self.stage.actor(SERVER)

        def rested(seen: Timeline) -> bool:
            last = seen.last("rested", source=SERVER)
            return server.gone or (last is not None and last.number("ask") == ask)

        if not self._wait(rested, TURN_SECONDS):
            self.census()  # which says so, if its loop does not turn
            if is_lost(self.timeline) or not self._await_server(rested):
                self.why = self.why or "rest"
                return
        last = self.timeline.last("rested", source=SERVER)
        self.why = self.why or (last.text("why") if last else "")

    def _await_server(self, fact: Callable[[Timeline], bool]) -> bool:
        """Wait for an answer of the server; one that has stopped itself gives none, and serves nobody."""
        server, deadline = self.stage.actor(SERVER), now() + MOVE_SECONDS
        while not self._wait(fact, TURN_SECONDS):
            if is_stopped(server.pid) and not self.nemesis.touches(SERVER):
                self._record("frozen", where="SIGSTOP", ms=TURN_SECONDS * 1000)
                return False
            if now() > deadline:
                return False
        return True

    def _let_pass(self, seconds: float) -> None:
        """In real time, so much of it as a check takes; whatever wants more is unknown."""
        if seconds > LONG_SECONDS:
            self.why = self.why or "--real-time"
        self._wait(lambda _: False, min(seconds, PATIENT_SECONDS))

    def _order_move(self, seconds: float) -> int:
        ask = next(self._asks)
        self.stage.actor(SERVER).order("move", ask=ask, seconds=seconds, gone=self._gone())
        return ask

    def _gone(self) -> list[Json]:
        """Connections whose client cannot answer any more."""
        touched = {actor for actor in self.scenario.clients if self.nemesis.touches(actor)}
        names = [seen.who for seen in self.timeline.select("connected")]
        return [who for who in names if actor_of(who) in touched or over(self.timeline, who)]

    def _heard(self, people: Sequence[str], asked: float, seconds: float) -> bool:
        """Wait until something has come to each; of a server at rest, so much of its time."""
        heard = partial(all_heard, people, asked)
        if not self.subject.witnessed:
            return self._wait(heard, seconds)
        if self._wait(heard, PROMPT_SECONDS):
            return True
        self._deliver(people)  # on a busy machine what they say may not be on its way yet
        self.rest()
        self._deliver(people)
        last = self.timeline.last("rested", source=SERVER)
        if not heard(self.timeline) and last is not None and last.number("standing"):
            self._wait(heard, seconds)  # it may come by way of another server
        if not heard(self.timeline):
            self.move(seconds)
            self._deliver(people)
        return heard(self.timeline)

    def _deliver(self, people: Sequence[str]) -> None:
        """Wait until the clients have taken what the server has sent: a busy machine lets them wait, too."""
        actors = [self.stage.actor(name) for name in dict.fromkeys(map(actor_of, people))]
        asks = {next(self._asks): actor for actor in actors if not actor.gone and not self.nemesis.touches(actor.name)}
        for ask, actor in asks.items():
            actor.order("rest", ask=ask)

        def rested(seen: Timeline) -> bool:
            answered = {one.number("ask") for one in seen.select("rested")}
            return all(ask in answered or actor.gone for ask, actor in asks.items())

        self._wait(rested, CONNECT_SECONDS)

    def _record(self, what: str, who: str = "", **detail: Json) -> None:
        self.timeline.record(Observation(self.timeline.elapsed(), "lab", what, who, detail))

    def order(self, who: str, do: str) -> None:
        """Give an order about a connection, and put it on the timeline."""
        self._order(who, do, do)

    def wait(self, fact: Callable[[Timeline], bool], seconds: float) -> bool:
        """Wait for a fact; whether it came in time."""
        return self._wait(fact, seconds)


def all_heard(people: Sequence[str], at: float, seen: Timeline) -> bool:
    """Whether something has come to each since then, or she is gone. What was on its way before does not count."""
    return all(over(seen, who) or any(one.at >= at for one in seen.select("received", who)) for who in people)


def over(seen: Timeline, who: str) -> bool:
    return seen.first("closed", who) is not None or seen.last("failed", who) is not None


def has_sent(seen: Timeline, who: str, asked: float) -> bool:
    """Whether her client has sent what she was asked to, or cannot any more."""
    return over(seen, who) or any(one.at >= asked for one in seen.select("sent", who))
