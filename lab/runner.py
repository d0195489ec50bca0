"""The one straight line: set the stage, play the story, settle, seal, judge. It knows no Docker."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable

from lab import evidence
from lab.answers import answered_order, answered_to, is_message, is_over, is_set_up
from lab.backends.actors import Actor, StageError
from lab.backends.stage import Backend, Cast, Stage
from lab.clock import now
from lab.dialect import Dialect
from lab.faults import SERVER, Fault, Heal
from lab.invariants.service import ANSWER_MS
from lab.judge import findings, judge
from lab.lateness import Lateness
from lab.nemesis import Nemesis
from lab.scenario import Scenario
from lab.steps import Broadcast, Connect, Leave, Rest, Say, Send, Step, actor_of
from lab.timeline import Json, Observation, Timeline
from lab.verdict import Outcome, Verdict

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = ANSWER_MS / 1000
CENSUS_SECONDS = 5.0
CENSUS_SHARE, CENSUS_CREDIT_SECONDS = 2.0, 0.05
"""How many times as long as censuses took, the lab waits between them; so much of that it may put off."""

ELBOW_ROOM_SECONDS = 0.02
"""How long the server is left alone after the story, if it cleans up that fast."""

WRITTEN_SECONDS = 0.005
"""How long a row that is not there yet is given before it is looked for again."""

SOON_SECONDS, SELDOM_SECONDS = 0.02, 0.16
"""How long the lab waits for a fact before it looks again all the same: at first, and when that was in vain often."""

GRACE_SECONDS = 1.0
"""How long the last words of bystanders may take to show, after everything else has settled."""

Watch = Callable[[str], None]
"""Told what is being played, for a live display."""


def run(
    scenario: Scenario,
    backend: Backend,
    timeline: Timeline,
    watch: Watch = lambda _: None,
    dialect: Dialect = Dialect(),  # noqa: B008  # it is a constant
) -> Verdict:
    """Play a scenario and judge it.

    Args:
        dialect: how the server speaks.

    Raises:
        StageError: the stage could not be set, or fell apart.
    """
    cast = Cast(scenario.clients, scenario.armed)
    with backend.stage(cast, timeline) as stage, Nemesis(stage, timeline) as nemesis, Lateness() as lateness:
        timeline.begin()
        if dialect.foreign:
            timeline.record(dialect.observe(timeline.elapsed()))
        play = Play(scenario, stage, nemesis, timeline, watch)
        play.story()
        play.settle()
        stage.look()
        lateness.observe(timeline)
        timeline.seal()
    return judge(scenario, timeline)


class Play:
    """One performance of a scenario.

    Attributes:
        set_up_seconds: how long a server may take to set up what its dialect has it set up for who comes.
    """

    def __init__(
        self,
        scenario: Scenario,
        stage: Stage,
        nemesis: Nemesis,
        timeline: Timeline,
        watch: Watch,
        set_up_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self.set_up_seconds = set_up_seconds
        self.scenario, self.stage, self.nemesis = scenario, stage, nemesis
        self.timeline, self.watch = timeline, watch
        self.dialect = Dialect.of(timeline)
        self._asks = itertools.count(1)
        self._next_census = 0.0
        self._came: list[str] = []

    def story(self) -> None:
        """Every step, in order; each is done when the facts say so."""
        for step in self.scenario.steps:
            self.watch(f"{type(step).__name__} {step.who}".strip())
            self.perform(step)
        self._await_set_up()

    def perform(self, step: Step) -> None:
        """One step or fault."""
        if not isinstance(step, Connect):
            self._await_set_up()
        match step:
            case Fault():
                self.nemesis.inject(step)
                self._await_exit(step)
            case Heal(who):
                self.census()  # how silent was it, up to now?
                self.nemesis.heal(who)
            case Connect():
                self._connect(step)
            case Say(who, text):
                self._say(who, {"type": "echo", "text": text}, "say", text)
            case Broadcast(who, text):
                self._say(who, {"type": "broadcast", "text": text}, "broadcast", text)
            case Send(who, payload):
                self._send(who, payload)
            case Leave(who, code, reason):
                self._order(who, "leave", "leave", code=code, reason=reason)
                self._wait(lambda seen: seen.first("closed", who) is not None, ANSWER_SECONDS)
            case Rest(_, seconds):
                time.sleep(seconds)  # here time is the point
            case _:
                raise StageError(f"nobody knows how to perform {step}")

    def settle(self) -> None:
        """Wait until every claim holds or the server's time is over; then hear the bystanders' last words."""
        # Counting takes the server's time: not before it has cleaned up, if that is a matter of milliseconds.
        self._wait(self._all_returned, ELBOW_ROOM_SECONDS)
        self._until_held(self.scenario.within, asked=False)
        for claim in self.scenario.then:
            for say in claim.asks:
                self.perform(say)
        self._until_held(GRACE_SECONDS, asked=True)

    def _all_returned(self, seen: Timeline) -> bool:
        return all(seen.first("returned", who) for who in evidence.crowd(seen, self.scenario.subject))

    def _all_ended(self, seen: Timeline) -> bool:
        """Whether it is known how each ended whose process is gone: an engine says so a tenth of a second later."""
        killed = [step.who for step in self.scenario.steps if isinstance(step, Fault) and step.fatal]
        return all(seen.last("exited", who) or not self.stage.actor(who).gone for who in killed)

    def census(self) -> None:
        """Have the server count what it holds, and wait for the answer; not so often that it does little else."""
        pause = self._next_census - now() - CENSUS_CREDIT_SECONDS
        if pause > 0:
            time.sleep(pause)  # counting must not be what keeps the server busy
        self._count()

    def _count(self) -> None:
        server, before = self.stage.actor(SERVER), now()
        if server.gone and not self.nemesis.touches(SERVER):
            self._gone_by_itself(server)
        if not server.gone:
            ask = next(self._asks)
            server.order("census", ask=ask)
            self._wait(lambda seen: server.gone or answered_order(seen, ask), CENSUS_SECONDS)
        self._next_census = max(self._next_census, before) + (1 + CENSUS_SHARE) * (now() - before)

    def _gone_by_itself(self, server: Actor) -> None:
        raise server.why_gone()

    def _until_held(self, seconds: float, *, asked: bool) -> None:
        """Count, and count again whenever something has happened; now and then even if nothing has."""
        deadline, patience = now() + seconds, SOON_SECONDS
        self._count()
        self._wait(self._all_ended, seconds)
        while not self._is_held(asked=asked) and now() < deadline:
            seen = len(self.timeline)
            if self._wait(lambda timeline, seen=seen: len(timeline) > seen, min(patience, deadline - now())):  # type: ignore[misc]  # mypy cannot infer a default
                patience = SOON_SECONDS
            else:
                patience = min(2 * patience, SELDOM_SECONDS)
            self.census()

    def _is_held(self, *, asked: bool) -> bool:
        found = findings(self.scenario, self.timeline, asked=asked)
        return Outcome.worst(one.outcome for one in found) is Outcome.HELD

    def _connect(self, step: Connect) -> None:
        names = step.connections
        url = self.stage.url(actor_of(step.who))
        self.stage.actor(actor_of(step.who)).order("connect", who=step.who, url=url, times=step.times)

        self._wait(lambda seen: all(answered_to(seen, name) for name in names), CONNECT_SECONDS)
        self._came += names

    def _await_set_up(self) -> None:
        """Until the server holds what it sets up for each who came, so that its absence later means something."""
        names, self._came = self._came, []
        deadline = now() + self.set_up_seconds
        while names and now() < deadline:
            self.census()
            census = evidence.last_census(self.timeline)
            if census is None or is_set_up(census, names, self.dialect.kinds):
                return
            self._wait(lambda _: False, WRITTEN_SECONDS)  # nobody says when a row is written

    def _say(self, who: str, message: dict[str, Json], do: str, text: str) -> None:
        heard = sum(1 for _ in self.timeline.select("received", who))
        self._order(who, "say", do, text=json.dumps(message, ensure_ascii=False), said=text)
        want = {"type": "broadcast", "from": evidence.user_of(who)} if do == "broadcast" else {"type": "echo"}

        def answered(seen: Timeline) -> bool:
            fresh = list(seen.select("received", who))[heard:]
            return any(is_message(one.text("text"), {**want, "text": text}) for one in fresh) or is_over(seen, who)

        if self.dialect.broadcasts if do == "broadcast" else self.dialect.echoes:
            self._wait(answered, ANSWER_SECONDS)

    def _send(self, who: str, payload: str | bytes) -> None:
        heard = self._answers(self.timeline, who)
        if isinstance(payload, bytes):
            self._order(who, "say", "send", hex=payload.hex())
        else:
            self._order(who, "say", "send", text=payload)
        self._wait(lambda seen: self._answers(seen, who) > heard or is_over(seen, who), ANSWER_SECONDS)

    def _answers(self, timeline: Timeline, who: str) -> int:
        return sum('"heartbeat"' not in one.text("text") for one in timeline.select("received", who))

    def _order(self, who: str, do: str, name: str, *, said: str = "", **what: Json) -> Observation:
        order = Observation(self.timeline.elapsed(), "lab", "ordered", who, {"do": name, "text": said})
        self.timeline.record(order)
        self.stage.actor(actor_of(who)).order(do, who=who, ask=next(self._asks), **what)
        return order

    def _await_exit(self, fault: Fault) -> None:
        """A fatal fault is done when the process is gone. Nobody waits for more: noticing is the server's affair."""
        if fault.fatal:
            actor = self.stage.actor(fault.who)
            self._wait(lambda seen: actor.gone or evidence.has_exited(seen, fault.who), self.scenario.within)

    def _wait(self, fact: Callable[[Timeline], bool], seconds: float) -> bool:
        return self.timeline.wait_for(fact, seconds)
