"""A visit: a case played on a server of which only the manners are known."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lab import evidence
from lab.check.guest import Guest
from lab.clock import now
from lab.faults import SERVER
from lab.invariants.company import Served
from lab.invariants.lost import is_lost
from lab.judge import findings
from lab.steps import Connect, actor_of
from lab.timeline import Json, Observation, Timeline
from lab.verdict import Outcome

QUIET_SECONDS = 1.2
"""How long a counter may take to be written after a connection is accepted."""

NEVER_QUIET_SECONDS = 3 * QUIET_SECONDS
"""Where something still changes after so long, there is no quiet moment."""

DOCKER_STOP_MS = 10_000.0
"""How long `docker stop` waits before it kills."""

LAST_WORDS_SECONDS = 1.0
"""How long the clients of a server that is gone may take to say how it ended for them."""

LOOK_SECONDS = 0.04
"""Between two looks at first; later on, when it is only a matter of whether, three times that."""

HURRY_AFTER_SECONDS = 0.3
"""When sleeps begin to be brought forward."""

MORE_SECONDS = 4.0
"""How much longer is waited while bringing timers forward still moves something."""

AT_REST_SECONDS = 0.7
"""When the server has said nothing for so long, sleeps no more and runs no thread, nothing more will be cleaned up."""

OUTSIDE_SECONDS = 3.0
"""The same, where something that is left waits for a database or another server: that may be slow."""

PINGED_AFTER_SECONDS = 1.3
"""0.5 s between two pings, as much for the answer, and some more."""

ROUNDS = 12
"""How often the sleeps of what is left are brought forward before it counts as never ending."""


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
    def facts(self) -> tuple[int, int, int | None]:
        """What must stay the same for it to be quiet."""
        return self.open, self.alive, self.said

    @property
    def agrees(self) -> bool:
        """Whether the counter says what is open, if there is one."""
        return self.said is None or self.alive <= self.said <= self.open

    def record(self, timeline: Timeline) -> None:
        """Put it on the timeline, for the claim."""
        detail: dict[str, Json] = {"open": self.open, "alive": self.alive}
        timeline.record(Observation(self.at, "lab", "settled", "", detail))


class Visit(Guest):
    """One performance. What the server does of its own accord is not known, so every wait is for a fact or its time."""

    _swept = False

    def story(self) -> None:
        """Given, a quiet moment, then what happens; another quiet moment if somebody else came meanwhile."""
        self.manners.record(self.timeline)
        for step in self.scenario.given:
            self.perform(step)
        self.settled()
        came = False
        for step in self.scenario.when:
            if is_lost(self.timeline):
                return
            self.watch(f"{type(step).__name__} {step.who}".strip())
            if came and not isinstance(step, Connect):
                self.settled()
            came = isinstance(step, Connect)
            self.perform(step)

    def settle(self) -> None:
        """Until every claim holds or time is over; what sleeps is woken early; then bystanders speak once more."""
        if is_lost(self.timeline):
            return  # nobody will be served any more, and nobody can say what is left
        if self.stopped:
            self._stop()
            return
        self.until_held(self.scenario.within)
        self.settled()
        self._patient = True
        self.ask([claim.who for claim in self.scenario.then if isinstance(claim, Served)])
        self.until_held(0.5)
        self.revisit()

    def _stop(self) -> None:
        """Until the server is gone. What it waits for is brought forward, if whoever deploys it would wait for that."""
        deadline = now() + self.scenario.within
        while self.timeline.last("exited", SERVER) is None and now() < deadline:
            self._hurry(DOCKER_STOP_MS, timeouts=True)
            self._wait(lambda seen: seen.last("exited", SERVER) is not None, 0.1)
        connected = {seen.who for seen in self.timeline.select("connected")}
        self._wait(lambda seen: connected <= {one.who for one in seen.select("closed")}, LAST_WORDS_SECONDS)
        self.look()

    def until_held(self, seconds: float) -> None:
        """Look again and again, until every claim holds, or none that does not will ever."""
        began, rounds, moved = now(), 0, False
        while True:
            self.census()
            self.look(again=True)
            bad, outside = self._bad(), self._waits_outside()
            over = now() - began >= (seconds + MORE_SECONDS if moved or outside else seconds)
            if not bad or over or is_lost(self.timeline):
                self.look()
                return
            moved = False
            # A timeout must not come before pings could find the end, if only they can.
            rests = self._at_rest(outside) and (not self.scenario.silent or now() - began >= PINGED_AFTER_SECONDS)
            if rounds < ROUNDS and now() - began >= HURRY_AFTER_SECONDS and self._hurry(timeouts=rests):
                rounds, moved = rounds + 1, True
            elif rests and now() - began >= AT_REST_SECONDS and "noticed-within" not in bad:
                self.look()
                return
            else:
                time.sleep(LOOK_SECONDS if now() - began < HURRY_AFTER_SECONDS else 3 * LOOK_SECONDS)

    def _bad(self) -> set[str]:
        """The claims that do not hold yet, and may."""
        waited_for = ("no-orphan", "noticed-within", "counter-is-true")
        found = findings(self.scenario, self.timeline)
        bad = {one.claim for one in found if one.outcome is not Outcome.HELD and one.claim in waited_for}
        census = evidence.last_census(self.timeline)
        if census is not None and any(held.kind == "connection" and held.late for held in census.held):
            bad.add("no-orphan")  # if its timer is set again each time it fires, it is not only late
        return bad

    def _at_rest(self, outside: bool) -> bool:
        """Nothing that is left waits for a thread or for a timer that was brought forward, and the server is silent.

        Args:
            outside: whether something that is left waits for what is outside the server's process.
        """
        census = evidence.last_census(self.timeline)
        if census is None or any(held.evidence.startswith("thread ") for held in census.held):
            return False
        said = [seen.at for seen in self.timeline if seen.source == SERVER and seen.what not in ("counted", "hurried")]
        patience = OUTSIDE_SECONDS if outside else AT_REST_SECONDS
        return self.timeline.elapsed() - max(said, default=0.0) >= patience * 1000

    def _waits_outside(self) -> bool:
        """Whether something that the dead have left waits for what is outside the server's process."""
        census, dead = evidence.last_census(self.timeline), set(self._dead())
        return census is not None and any(held.outside and held.who in dead for held in census.held)

    def settled(self) -> None:
        """A quiet moment: nothing is on its way. What the log's last counter says now must be true.

        A line may be written a little later than what it counts: only what has said the same for long is wrong.
        """
        began = since = now()
        last = None
        while last is None or not last.agrees:
            self.census()
            moment = self._moment()
            since = now() if last is None or moment.facts != last.facts else since
            last = moment
            if now() - since >= QUIET_SECONDS or now() - began >= NEVER_QUIET_SECONDS:
                break
            if not moment.agrees:
                lines = len(evidence.counter_lines(self.timeline))
                self._wait(lambda seen, lines=lines: len(evidence.counter_lines(seen)) > lines, LOOK_SECONDS)  # type: ignore[misc]
        self.look_for_rows(last.open)
        if last.agrees or now() - since >= QUIET_SECONDS:
            last.record(self.timeline)

    def _moment(self) -> Moment:
        """What is open at the last census, or now, and what the counter had said by then."""
        census = evidence.last_census(self.timeline) if self.subject.witnessed else None
        at = census.at if census else self.timeline.elapsed()
        said = [count for seen, count in evidence.counter_lines(self.timeline) if seen.at <= at]
        open_now = self._open()
        return Moment(at, open_now, open_now - self._ending(census), said[-1] if said else None)

    def _ending(self, census: evidence.Census | None) -> int:
        """How many handlers still run though their connection is over: they may have been counted down already."""
        over = {seen.who for what in ("told", "disconnected") for seen in self.timeline.select(what)}
        return sum(held.kind == "handler" and held.who in over for held in census.held) if census else 0

    def _open(self) -> int:
        """How many connections the server has, by its handlers, else by its clients."""
        census = evidence.last_census(self.timeline) if self.subject.witnessed else None
        if census is not None:
            return sum(held.kind == "handler" for held in census.held)
        connected = {seen.who for seen in self.timeline.select("connected")}
        gone = {seen.who for seen in self.timeline.select("closed")}
        dead = {seen.who for seen in self.timeline.select("exited")}
        return sum(who not in gone and actor_of(who) not in dead for who in connected)

    def _dead(self) -> list[Json]:
        """Those whose end is judged, and who need not be served any more."""
        claimed = (getattr(claim, "who", "") for claim in self.scenario.then)
        gone = [name for who in claimed if who for name in evidence.crowd(self.timeline, who)]
        served = {claim.who for claim in self.scenario.then if isinstance(claim, Served)}
        return [who for who in gone if who not in served]

    def _hurry(self, longest_ms: float = 40_000.0, *, timeouts: bool = False) -> bool:
        """Bring forward what the dead still wait for. Longer than uvicorn's own pings would take, it is not done."""
        ask, dead = next(self._asks), self._dead()
        server = self.stage.actor(SERVER)
        services = timeouts and not self._swept and not self.stopped
        self._swept = self._swept or services  # once: nobody else shall notice much of it
        server.order("hurry", ask=ask, gone=dead, longest_ms=longest_ms, timeouts=timeouts, services=services)

        def answered(seen: Timeline) -> bool:
            last = seen.last("hurried")
            return server.gone or (last is not None and last.number("ask") == ask)

        self._wait(answered, 1.0)
        last = self.timeline.last("hurried")
        return last is not None and bool(last.number("count"))
