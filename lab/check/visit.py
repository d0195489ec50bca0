"""A visit: a case played on a server of which only the manners are known."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, urlsplit

from lab import evidence
from lab.backends.stage import Stage
from lab.check.manners import Manners
from lab.check.outside import Outside
from lab.check.subject import Subject, filled
from lab.clock import now
from lab.faults import SERVER, Fault, Heal
from lab.invariants.foreign import ANSWER_MS, Served, frozen
from lab.judge import findings
from lab.nemesis import Nemesis
from lab.runner import CONNECT_SECONDS, Play
from lab.scenario import Scenario
from lab.steps import Connect, Flood, Leave, Say, Send, Step, actor_of
from lab.timeline import Json, Observation, Timeline
from lab.verdict import Outcome

REPLY_SECONDS = 0.3
"""How long the next message of an opening exchange waits for an answer to the one before."""

QUIET_SECONDS = 0.4
"""How long a counter may take to be written after a connection is accepted."""

THE_FEW = 5
"""Up to so many who connect at once, each says something first: what a server keeps of talkers must not be missed."""

HURRY_AFTER_SECONDS = 0.3
ROUNDS = 12
"""How often the sleeps of what is left are brought forward before it counts as never ending."""

FLOOD_BYTES, FLOOD_TIMES = 65_536, 160


class Visit(Play):
    """One performance. What the server does of its own accord is not known, so every wait is for a fact or its time."""

    def __init__(
        self, scenario: Scenario, stage: Stage, nemesis: Nemesis, timeline: Timeline, watch: Callable[[str], None]
    ) -> None:
        super().__init__(scenario, stage, nemesis, timeline, watch)
        self.subject, self.manners = Subject(), Manners()
        self.outside = Outside()
        self.stopped = False
        self._patient = True

    def story(self) -> None:
        """Given, a quiet moment, then what happens; another quiet moment if somebody else came meanwhile."""
        self.manners.record(self.timeline)
        for step in self.scenario.given:
            self.perform(step)
        self.settled()
        came = False
        for step in self.scenario.when:
            if frozen(self.timeline):
                return
            self.watch(f"{type(step).__name__} {step.who}".strip())
            if came and not isinstance(step, Connect):
                self.settled()
            came = isinstance(step, Connect)
            self.perform(step)

    def perform(self, step: Step) -> None:
        """One step or fault."""
        match step:
            case Flood(who):
                self._flood(who)
            case Heal(who) if who == SERVER:
                self.nemesis.heal(who)
            case Connect():
                if step.who == next(iter(self.subjects()), ""):
                    self.look()  # rows and sockets, before the subject comes
                super().perform(step)
            case Say(who, _):
                self.say(who)
            case Leave(who, code, reason):
                self._order(who, "leave", "leave", code=code, reason=reason)
                self._wait(lambda seen: _over(seen, who), REPLY_SECONDS)
            case Send():
                self._wait_sent(step)
            case _:
                super().perform(step)
                self.stopped = self.stopped or (isinstance(step, Fault) and step.fatal and step.who == SERVER)

    def subjects(self) -> list[str]:
        """Those who are to end: the last who connect before anything happens."""
        return [self.scenario.given[-1].who] if self.scenario.given else []

    def settle(self) -> None:
        """Until every claim holds or time is over; what sleeps is woken early; then bystanders speak once more."""
        if frozen(self.timeline):
            return  # nobody will be served any more, and nobody can say what is left
        if self.stopped:
            self._wait(lambda seen: seen.last("exited", SERVER) is not None, self.scenario.within)
            self.look()
            return
        self.until_held(self.scenario.within)
        self.settled()
        self._patient = True
        self.ask([claim.who for claim in self.scenario.then if isinstance(claim, Served)])
        self.until_held(0.5)

    def until_held(self, seconds: float) -> None:
        """Look again and again."""
        began, rounds = now(), 0
        while True:
            self.census()
            self.look()
            found = findings(self.scenario, self.timeline)
            bad = [
                one for one in found if one.outcome is not Outcome.HELD and one.claim in ("no-orphan", "noticed-within")
            ]
            counter = any(one.claim == "counter-is-true" and one.outcome is Outcome.VIOLATED for one in found)
            if (not bad and not counter) or now() - began >= seconds or frozen(self.timeline):
                return
            if bad and rounds < ROUNDS and now() - began >= HURRY_AFTER_SECONDS and self._hurry():
                rounds += 1
            else:
                time.sleep(0.02)  # between two looks

    def settled(self) -> None:
        """A quiet moment: nothing is on its way. What the log's last counter says now must be true."""
        self.census()
        open_now = self._open()

        def counted(seen: Timeline) -> bool:
            lines = evidence.counter_lines(seen)
            return not lines or lines[-1][1] == open_now

        if not counted(self.timeline):
            self._wait(counted, QUIET_SECONDS)
        self.look()
        if self._open() == open_now:
            self._record("settled", open=open_now)

    def _open(self) -> int:
        """How many connections the server has, by its handlers, else by its clients."""
        census = evidence.last_census(self.timeline) if self.subject.witnessed else None
        if census is not None:
            return sum(held.kind == "handler" for held in census.held)
        connected = {seen.who for seen in self.timeline.select("connected")}
        gone = {seen.who for seen in self.timeline.select("closed")}
        dead = {seen.who for seen in self.timeline.select("exited")}
        return sum(who not in gone and actor_of(who) not in dead for who in connected)

    def census(self) -> None:
        """As any play; a server that is not witnessed cannot be asked."""
        if self.subject.witnessed and not frozen(self.timeline):
            super().census()

    def look(self) -> None:
        """What can be seen from outside: open rows, open sockets."""
        for what, count, holder, error in self.outside.look():
            last = self.timeline.last(what, source="lab")
            if last is None or last.number("count") != count or last.text("error") != error:
                self._record(what, count=count, holder=holder, error=error)

    def say(self, *people: str) -> None:
        """Have them say the participant's text, if this server takes it, and wait for what it usually does."""
        if not self.manners.talks:
            return
        answers = [self.next_message(who) for who in people]
        for who in people:
            self._order(who, "say", "say", text=filled(self.subject.talk))
        if self.manners.answers and self._patient and not self.nemesis.touches(SERVER):
            self._patient = self._wait(lambda seen: all(answer(seen) for answer in answers), ANSWER_MS / 1000)

    def ask(self, people: list[str]) -> None:
        """Find out whether they are still served."""
        messages = [self.next_message(who) for who in people]
        if self.manners.streams:
            for who in people:
                self._record("ordered", who, do="listen")
        else:
            self.say(*people)
        if self.manners.streams or (self.manners.relays and not self.manners.answers):
            patience = max(ANSWER_MS, 3 * self.manners.period_ms) / 1000
            self._wait(lambda seen: all(message(seen) for message in messages), patience)

    def heard(self, who: str) -> int:
        """How many messages have come to her."""
        return sum(1 for _ in self.timeline.select("received", who))

    def next_message(self, who: str) -> Callable[[Timeline], bool]:
        """Whether one more message has come to her than now, or she is gone."""
        heard = self.heard(who)
        return lambda seen: self.heard(who) > heard or _over(seen, who)

    def _hurry(self) -> bool:
        claimed = (getattr(claim, "who", "") for claim in self.scenario.then)
        gone = [name for who in claimed if who for name in evidence.crowd(self.timeline, who)]
        served = {claim.who for claim in self.scenario.then if isinstance(claim, Served)}
        ask = next(self._asks)
        self.stage.actor(SERVER).order("hurry", ask=ask, gone=[who for who in gone if who not in served])
        self._wait(lambda seen: (last := seen.last("hurried")) is not None and last.number("ask") == ask, 1.0)
        last = self.timeline.last("hurried")
        return last is not None and bool(last.number("count"))

    def _connect(self, step: Connect) -> None:
        names = step.connections
        options: dict[str, Json] = {
            "subprotocols": list(self.subject.subprotocols),
            "headers": [[key, filled(value)] for key, value in self.subject.headers],
        }
        self.stage.actor(actor_of(step.who)).order(
            "connect", who=step.who, url=self.url(step.who), times=step.times, **options
        )

        def answered(seen: Timeline) -> bool:
            refused = {one.who for one in seen.select("refused")}
            there = {one.who for one in seen.select("connected")}
            if self.subject.witnessed:
                there &= {one.who for one in seen.select("accepted")}
            return all(name in refused or name in there for name in names)

        self._wait(answered, CONNECT_SECONDS)
        for text in self.subject.opening:
            heard = {name: self.heard(name) for name in names}
            for name in names:
                self._order(name, "say", "open", text=filled(text))
            self._wait(partial(self._all_heard, heard), REPLY_SECONDS)
        if len(names) <= THE_FEW and self.manners.met:
            self.say(*names)

    def _all_heard(self, heard: dict[str, int], _seen: Timeline) -> bool:
        return all(self.heard(name) > count for name, count in heard.items())

    def url(self, client: str) -> str:
        """Where a client dials: its own link, the server's path and the participant's query."""
        there = urlsplit(self.stage.url(actor_of(client)))
        query = "&".join(quote(filled(one), safe="={}") for one in self.subject.query)
        return f"ws://{there.netloc}{filled(self.manners.path)}" + (f"?{query}" if query else "")

    def _flood(self, who: str) -> None:
        big = self.subject.big(FLOOD_BYTES)
        if big is not None and self.manners.talks:
            self._order(who, "say", "flood", text=big, times=FLOOD_TIMES, deaf=True)
            self._wait(lambda seen: seen.last("sent", who) is not None, 1.0)

    def _wait_sent(self, step: Send) -> None:
        """Nonsense may be answered, or not, or be the end."""
        answer = self.next_message(step.who)
        if isinstance(step.payload, bytes):
            self._order(step.who, "say", "send", hex=step.payload.hex())
        else:
            self._order(step.who, "say", "send", text=step.payload)
        self._wait(answer, REPLY_SECONDS)

    def _record(self, what: str, who: str = "", **detail: Json) -> None:
        self.timeline.record(Observation(self.timeline.elapsed(), "lab", what, who, detail))


def _over(seen: Timeline, who: str) -> bool:
    return seen.first("closed", who) is not None or seen.last("failed", who) is not None
