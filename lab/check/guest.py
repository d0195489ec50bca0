"""A guest: how clients behave towards a server of which nothing is known but its manners."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, urlsplit

from lab.backends.actors import Actor
from lab.backends.embedded import ProcessStage
from lab.check.asking import Asking, all_heard, has_sent, over
from lab.check.knocking import let_ends_arrive
from lab.check.outside import Outside
from lab.check.speech import frame
from lab.check.subject import Subject, filled
from lab.check.waves import THE_FEW, is_a_crowd
from lab.clock import now
from lab.faults import SERVER, Fault, Heal, Idle
from lab.invariants.company import ANSWER_MS
from lab.manners import Manners
from lab.nemesis import Nemesis
from lab.runner import CONNECT_SECONDS
from lab.scenario import Scenario
from lab.steps import Connect, Flood, Leave, Rest, Say, Send, Step, actor_of
from lab.timeline import Json, Timeline

REPLY_SECONDS = 0.3
"""How long the next message of an opening exchange waits for an answer to the one before."""

LOOK_EVERY_SECONDS = 0.15
ROWS_SECONDS = 2.0
"""How long rows may take to be there."""

FORGET_SECONDS = 2.0
"""How long the way between may take to forget a flow of which nothing is heard."""

SLOW_MS = 200.0
"""Whoever takes so long for one message would be busy with a flood long after its client is dead, and rightly so."""

FLOOD_BYTES, FLOOD_TIMES = 65_536, 160


class Guest(Asking):
    """Plays steps. What the server does of its own accord is not known, so every wait is for a fact or its time."""

    def __init__(
        self,
        scenario: Scenario,
        stage: ProcessStage,
        nemesis: Nemesis,
        timeline: Timeline,
        watch: Callable[[str], None],
    ) -> None:
        super().__init__(scenario, stage, nemesis, timeline, watch)
        self.renew = stage.renew
        self.subject, self.manners = Subject(), Manners()
        self.outside = Outside()
        self.stopped = False
        self._patient = True
        self._next_look = 0.0

    def _await_exit(self, fault: Fault) -> None:
        """As any play; but nobody waits here for a server that was told to stop: that is looked at afterwards."""
        if fault.who != SERVER:
            super()._await_exit(fault)

    def perform(self, step: Step) -> None:
        """One step or fault."""
        match step:
            case Flood(who):
                self._flood(who)
            case Heal(who) if who == SERVER:
                self._go_on()
            case Connect():
                self._renew(step.who)
                if step == self.scenario.given[-1]:
                    self.look_for_rows(sum(1 for _ in self.timeline.select("connected")))
                super().perform(step)
            case Say(who, _):
                self.say(who)
            case Leave(who, code, reason):
                self._order(who, "leave", "leave", code=code, reason=reason)
                self._wait(lambda seen: over(seen, who), REPLY_SECONDS)
            case Send():
                self.send(step)
            case Idle(who):
                before = self.timeline.elapsed()
                super().perform(step)
                # It must have been silent in real time, before the server's clock is moved and it speaks again.
                self._wait(lambda seen: any(one.at >= before for one in seen.select("forgotten", who)), FORGET_SECONDS)
            case Rest(_, seconds) if self.subject.witnessed:
                self.move(seconds)
            case _:
                super().perform(step)
                self.stopped = self.stopped or (isinstance(step, Fault) and step.fatal and step.who == SERVER)

    def _go_on(self) -> None:
        """Let a frozen server go on, once the end of every client that died meanwhile has reached its socket."""
        if not let_ends_arrive(self.scenario, self.timeline):
            self.why = self.why or "knock"
        self.nemesis.heal(SERVER)
        # Whoever speaks next speaks while the dead are still in somebody's list, if they are in any.
        self._wait(lambda seen: seen.first("disconnected") is not None, REPLY_SECONDS)

    def _renew(self, who: str) -> None:
        """Whoever was killed comes again as another process, behind the same link."""
        name = actor_of(who)
        if self.stage.actor(name).gone:
            self.nemesis.heal(name)
            self.renew(name)

    def _gone_by_itself(self, server: Actor) -> None:
        """That is a finding, and no reason to stop looking."""

    def look(self, *, again: bool = False) -> None:
        """What can be seen from outside: open sockets, which are dear to count, and rows, which a reader locks."""
        if again and now() < self._next_look:
            return
        self._next_look = now() + LOOK_EVERY_SECONDS
        for what, count, holder, error in self.outside.look():
            last = self.timeline.last(what, source="lab")
            if last is None or last.number("count") != count or last.text("error") != error:
                self._record(what, count=count, holder=holder, error=error)

    def look_for_rows(self, wanted: int) -> None:
        """Look; and if rows are looked for, wait until there is one for each connection. They may be written late."""
        deadline = now() + ROWS_SECONDS
        self.look()
        while (rows := self.timeline.last("rows", source="lab")) is not None:
            if (rows.number("count") or 0) >= wanted or now() > deadline:
                return
            time.sleep(LOOK_EVERY_SECONDS)  # a database can only be looked at
            self.look()

    def say(self, *people: str, user: str = "") -> None:
        """Have them say the participant's text, if this server takes it, and wait for what it usually does."""
        if not self.manners.talks:
            return
        asked = self.timeline.elapsed()
        for who in people:
            self._order(who, "say", "say", user=user, **frame(self.subject.talk))
        if self.manners.answers and self._patient and not self.nemesis.touches(SERVER):
            self._patient = self._heard(people, asked, ANSWER_MS / 1000)

    def ask(self, people: list[str]) -> None:
        """Find out whether they are still served: in turn, so that nobody's message passes for another's."""
        patience = max(ANSWER_MS, 3 * self.manners.period_ms) / 1000
        if self.manners.streams:
            for who in people:
                self._record("ordered", who, do="listen")
            self._wait(partial(all_heard, people, self.timeline.elapsed()), patience)
            return
        for who in people if self.manners.talks else ():
            if not over(self.timeline, who) and self._patient:  # after one that was in vain nobody is asked in turn
                asked = self._order(who, "say", "ask", **frame(self.subject.talk))
                listening = people if self.manners.relays else [who] if self.manners.answers else []
                self._patient = self._heard(listening, asked.at, patience)

    def connect(self, step: Connect) -> None:
        """Have somebody connect."""
        self._connect(step)

    def _connect(self, step: Connect, user: str = "") -> None:
        """As any play.

        Args:
            user: whose connection it is, if that is not what it is called; then nothing is said yet.
        """
        names = step.connections
        options: dict[str, Json] = {
            "subprotocols": [filled(one) for one in self.subject.subprotocols],
            "headers": [[key, filled(value)] for key, value in self.subject.headers],
            "replies": [[pattern, filled(text)] for pattern, text in self.subject.replies],
            "quiet": is_a_crowd(step),
            "first": step.first,
        }
        before = self.timeline.elapsed()
        self.stage.actor(actor_of(step.who)).order(
            "knock" if step.knock else "connect",
            who=step.who,
            user=user,
            url=self.url(step.who),
            times=step.times,
            turn=step.turn,
            **options,
        )

        def answered(seen: Timeline) -> bool:
            refused, there, accepted = (
                {one.who for one in seen.select(what) if one.at >= before}
                for what in ("refused", "connected", "accepted")
            )
            if self.subject.witnessed and not step.knock:
                there &= accepted
            return all(name in refused or name in there for name in names)

        self._wait(answered, CONNECT_SECONDS)
        if step.mute or step.knock:
            return
        for text in self.subject.opening:
            asked = self.timeline.elapsed()
            for name in names:
                self._order(name, "say", "open", user=user, **frame(text))
            self._wait(partial(all_heard, names, asked), REPLY_SECONDS)
        if len(names) <= THE_FEW and self.manners.met and not user:
            self.say(*names)
        elif is_a_crowd(step) and self.manners.met and self.manners.talks:
            asked = self.timeline.elapsed()
            for name in names:
                self._order(name, "say", "say", **frame(self.subject.talk))
            self._wait(lambda seen: all(has_sent(seen, name, asked) for name in names), ANSWER_MS / 1000)
            self.rest()

    def url(self, client: str) -> str:
        """Where a client dials: its own link, the server's path and the participant's query."""
        there = urlsplit(self.stage.url(actor_of(client)))
        query = "&".join(quote(filled(one), safe="={}") for one in self.subject.query)
        return f"ws://{there.netloc}{filled(self.manners.path)}" + (f"?{query}" if query else "")

    def _flood(self, who: str) -> None:
        big = self.subject.big(FLOOD_BYTES)
        if big is not None and self.manners.talks and self.manners.answer_ms < SLOW_MS:
            self._order(who, "say", "flood", text=big, times=FLOOD_TIMES, deaf=True)
            self._wait(lambda seen: seen.last("sent", who) is not None, 1.0)

    def send(self, *steps: Send) -> None:
        """Nonsense may be answered, or not, or be the end; a message proves nothing, it may be somebody else's.

        If a handler dies of it, its client must live to see how she is left.
        """
        people = [step.who for step in steps]
        asked = self.timeline.elapsed()
        for step in steps:
            if isinstance(step.payload, bytes):
                self._order(step.who, "say", "send", hex=step.payload.hex())
            else:
                self._order(step.who, "say", "send", said=step.payload, text=step.payload)
        if self.subject.witnessed:
            self._wait(lambda seen: all(has_sent(seen, who, asked) for who in people), ANSWER_MS / 1000)
            self.rest()
        else:
            self._wait(lambda seen: all(over(seen, who) for who in people), REPLY_SECONDS)
        dead = [who for who in people if self.timeline.first("returned", who)]
        self._wait(lambda seen: all(over(seen, who) for who in dead), ANSWER_MS / 1000)
