"""A visit to a server that nobody looks inside: what it has is told from outside, and its time cannot be moved."""

from __future__ import annotations

from lab import evidence, growth
from lab.check.experiment import HORIZON_SECONDS, Experiment
from lab.check.visit import Moment, Visit
from lab.clock import now
from lab.judge import findings
from lab.phases import FIRST
from lab.steps import actor_of
from lab.timeline import Observation
from lab.verdict import Outcome

LOOK_SECONDS = 0.12
"""Between two looks at a process: nobody says when it changes."""

REST_SECONDS = 0.1
"""A server that has said nothing, and whose clients have heard nothing, for so long is taken to be at rest."""

NOT_AT_REST_SECONDS = 1.0
"""One that says something all the time is not waited for any longer."""

QUIET_SECONDS = 1.2
"""How long a counter may take to be written after a connection is accepted."""

NEVER_QUIET_SECONDS = 3 * QUIET_SECONDS
"""Where something still changes after so long, there is no quiet moment."""


class Foreigner(Visit):
    """As any visit; but a client that is silent may have been given up, and only the server's sockets tell."""

    _waited = False

    def noticed(self) -> None:
        """Look again and again, until every claim holds that may yet, or its time is over."""
        began = now()
        while self._bad() and now() - began < self.scenario.within:
            self._wait(lambda _: False, LOOK_SECONDS)  # a process can only be looked at
            self.look(again=True)
        self.look()

    def _bad(self) -> bool:
        """Whether something does not hold yet, and may."""
        self.look(again=True)
        found = findings(self.scenario, self.timeline)
        return any(one.outcome is not Outcome.HELD and one.claim in ("no-orphan", "counter-is-true") for one in found)

    def rest(self) -> None:
        """Until nothing was seen for a while: from outside, silence is all there is to see."""
        deadline = now() + NOT_AT_REST_SECONDS
        seen = len(self.timeline)
        while now() < deadline and self._wait(lambda timeline: len(timeline) > seen, REST_SECONDS):  # noqa: B023
            seen = len(self.timeline)

    def move(self, seconds: float) -> None:
        """Its time passes as ours does. Once in a case a minute is waited for, or until nothing is suspicious."""
        self.rest()
        if seconds < HORIZON_SECONDS or not self.experimenting or self._waited:
            return
        self._waited = True
        deadline = now() + HORIZON_SECONDS
        while now() < deadline:
            self.survey()
            if not growth.suspects(Experiment(self).phase(FIRST, 1, dry=True)):
                return
            self._wait(lambda _: False, LOOK_SECONDS * 4)  # a process can only be looked at

    def survey(self) -> None:
        """What the system knows of its processes."""
        sizes = self.outside.survey()
        self.timeline.record(Observation(self.timeline.elapsed(), "lab", "surveyed", "", {"sizes": sizes}))

    def settled(self) -> None:
        """A quiet moment, unless it is not known how many connections are open: then no counter is wrong.

        A line may be written a little later than what it counts: only what has said the same for long is wrong.
        """
        if self._silenced() and self.timeline.last("sockets", source="lab") is None:
            self.look()
            return
        began = since = now()
        last: Moment | None = None
        while last is None or not last.agrees:
            moment = self._moment()
            since = now() if last is None or (moment.open, moment.said) != (last.open, last.said) else since
            last = moment
            if now() - since >= QUIET_SECONDS or now() - began >= NEVER_QUIET_SECONDS:
                break
            if not moment.agrees:
                lines = len(evidence.counter_lines(self.timeline))
                self._wait(lambda seen, lines=lines: len(evidence.counter_lines(seen)) > lines, LOOK_SECONDS)  # type: ignore[misc]  # mypy sees no type in a lambda's default
        self.look_for_rows(last.open)
        if last.agrees or now() - since >= QUIET_SECONDS:
            last.record(self.timeline)

    def _moment(self) -> Moment:
        at = self.timeline.elapsed()
        said = [count for seen, count in evidence.counter_lines(self.timeline) if seen.at <= at]
        open_now = self._open()
        return Moment(at, open_now, open_now, said[-1] if said else None)

    def _open(self) -> int:
        """How many connections it has, by its clients; of those that are silent, by its sockets."""
        connected = {seen.who for seen in self.timeline.select("connected")}
        gone = {seen.who for seen in self.timeline.select("closed")}
        dead = {seen.who for seen in self.timeline.select("exited")}
        clients = sum(who not in gone and actor_of(who) not in dead for who in connected)
        silenced = self._silenced()
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
