"""A visit: a case played on a server of which only the manners are known; then the experiment, if something is left."""

from __future__ import annotations

from dataclasses import dataclass

from lab import evidence
from lab.check.asking import over
from lab.check.experiment import Experiment
from lab.check.guest import Guest
from lab.check.known import Known
from lab.check.waves import bystanders, wave
from lab.clock import now
from lab.faults import SERVER
from lab.followed import FOLLOW_SECONDS
from lab.invariants.company import Served
from lab.invariants.leaves import LeavesNothing
from lab.invariants.lost import is_lost
from lab.lateness import Lateness
from lab.phases import PHASED, STORY
from lab.steps import Connect, Step
from lab.timeline import Json, Observation, Timeline

SETTLED_SECONDS = 1.2
"""How long, by the server's clock, a counter may take to be written after what it counts."""

STOP_SECONDS = 0.5
"""How long a server may take to stop before its clock is moved on: uvicorn looks ten times a second."""

DOCKER_STOP_SECONDS = 10.0
"""How long `docker stop` waits before it kills."""

LAST_WORDS_SECONDS = 1.0
"""How long the clients of a server that is gone may take to say how it ended for them."""

TALK_EVERY_SECONDS = 8.0
"""How often, by the server's clock, bystanders say something while pings are waited for: they are not idle."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What could be known at one moment of the connections that were open.

    Attributes:
        at: when, in milliseconds since the run began.
        open: how many handlers ran.
        alive: how many of them for a connection that was not over yet.
        said: what the log's last counter had said by then, or None.
    """

    at: float
    open: int
    alive: int
    said: int | None

    @property
    def agrees(self) -> bool:
        """Whether the counter says what is open, if there is one."""
        return self.said is None or self.alive <= self.said <= self.open

    def record(self, timeline: Timeline) -> None:
        """Put it on the timeline, for the claim."""
        detail: dict[str, Json] = {"open": self.open, "alive": self.alive}
        timeline.record(Observation(self.at, "lab", "settled", "", detail))


class Visit(Guest):
    """One performance, on a server that is witnessed. Every wait is for a fact, or for the server to be at rest.

    Attributes:
        experimenting: whether the story is over.
        known: what other cases have found out.
        lateness: how late the machine wakes the lab.
    """

    experimenting = False
    known: Known
    lateness: Lateness

    @property
    def subject_step(self) -> Connect | None:
        """The step with which those come whose end is judged."""
        whose = next((claim.who for claim in self.scenario.then if isinstance(claim, LeavesNothing)), "")
        steps = (step for step in self.scenario.steps if isinstance(step, Connect))
        return next((step for step in steps if any(evidence.matches(who, whose) for who in step.connections)), None)

    def story(self) -> None:
        """Given, a quiet moment and a first survey; then the subjects come, another quiet moment, and what happens."""
        self.manners.record(self.timeline)
        subject = self.subject_step or self.scenario.given[-1]
        given = [step for step in self.scenario.given if step != subject]
        for step in given:
            self.perform(step)
        self.rest()
        self.survey()
        if subject in self.scenario.given:
            self.perform(subject)
        self.settled()
        self._happen(self.scenario.when)

    def _happen(self, steps: tuple[Step, ...]) -> None:
        """The steps; a quiet moment whenever somebody else came meanwhile."""
        came = False
        for step in steps:
            if is_lost(self.timeline):
                return
            self.watch(f"{type(step).__name__} {step.who}".strip())
            if came and not isinstance(step, Connect) and not self.nemesis.touches(SERVER):
                self.settled()
            came = isinstance(step, Connect)
            self.perform(step)

    def settle(self) -> None:
        """Until the end has been noticed and the server is at rest; then bystanders speak once more; then the waves."""
        if is_lost(self.timeline):
            return  # nobody will be served any more, and nobody can say what is left
        if self.stopped:
            self._stop()
            return
        self.noticed()
        self.settled()
        self._patient = True
        served = [claim.who for claim in self.scenario.then if isinstance(claim, Served)]
        self.ask(served)
        self.rest()
        self._deliver(served)  # who was hung up on for what she said knows it by now
        self.look()
        self.lateness.observe(self.timeline)
        self._record(PHASED, phase=STORY)
        Experiment(self).run()

    def _stop(self) -> None:
        """Until the server is gone. What it waits for comes at once, if whoever deploys it would wait for that."""
        deadline = now() + self.scenario.within

        def exited(seen: Timeline) -> bool:
            return seen.last("exited", SERVER) is not None

        gone = self._wait(exited, STOP_SECONDS)
        if not gone:
            self._order_move(DOCKER_STOP_SECONDS)
            gone = self._wait(exited, max(0.0, deadline - now()))
        if gone:
            self._wait(evidence.all_have_followed, FOLLOW_SECONDS + LAST_WORDS_SECONDS)
            connected = {seen.who for seen in self.timeline.select("connected")}
            self._wait(lambda seen: connected <= {one.who for one in seen.select("closed")}, LAST_WORDS_SECONDS)
        self.look()

    def noticed(self) -> None:
        """Wait for what tells the server of the end: the kernel at once, pings after some of its time."""
        people = [who for who in self._subjects(1) if self.timeline.first("connected", who)]
        if not self.scenario.silent:
            ends = ("disconnected", "returned")
            self._wait(
                lambda seen: all(any(seen.first(end, who) for end in ends) for who in people), self.scenario.within
            )
            self.rest()
            return
        self.census()  # how silent was it, up to now?
        end = self.scenario.within
        while end > 0 and not all(self.timeline.first("returned", who) for who in people):
            self.move(min(TALK_EVERY_SECONDS, end))
            end -= TALK_EVERY_SECONDS
            self.say(*(who for who in self.bystanders() if not over(self.timeline, who)))
        self.rest()

    def bystanders(self) -> tuple[str, ...]:
        """Those who are not meant to end."""
        subject = self.subject_step
        return bystanders(self.scenario, subject) if subject else ()

    def _subjects(self, turn: int) -> tuple[str, ...]:
        subject = self.subject_step
        return wave(self.scenario, subject, turn).come.connections if subject else ()

    def survey(self) -> None:
        """Have the server say what it holds, and how large everything is."""
        server = self.stage.actor(SERVER)
        if is_lost(self.timeline) or server.gone:
            return
        ask = next(self._asks)
        server.order("census", ask=ask, sizes=True)

        def answered(seen: Timeline) -> bool:
            last = (seen.last("counted"), seen.last("frozen"))
            return server.gone or any(one is not None and one.number("ask") == ask for one in last)

        if not self._await_server(answered):
            self.why = self.why or "survey"

    def settled(self) -> None:
        """A quiet moment: nothing is on its way. What the log's last counter says now must be true."""
        self.rest()
        moment = self._moment()
        if not moment.agrees:
            self.move(SETTLED_SECONDS)
            moment = self._moment()
        self.look_for_rows(moment.open)
        census = evidence.last_census(self.timeline)
        if census is None or not census.error:  # one that failed does not say what was open
            moment.record(self.timeline)

    def _moment(self) -> Moment:
        """What is open at a census, and what the counter had said by then."""
        self.census()
        census = evidence.last_census(self.timeline)
        at = census.at if census else self.timeline.elapsed()
        said = [count for seen, count in evidence.counter_lines(self.timeline) if seen.at <= at]
        running = [held.who for held in census.held if held.kind == "handler"] if census else []
        ended = {seen.who for what in ("told", "disconnected") for seen in self.timeline.select(what)}
        return Moment(at, len(running), sum(who not in ended for who in running), said[-1] if said else None)
