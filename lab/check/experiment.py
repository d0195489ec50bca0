"""The experiment: once a first wave has ended and left something, controls in which nobody dies, and more waves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lab import evidence, growth
from lab.check.asking import over
from lab.check.coming import play
from lab.check.company import Company
from lab.check.waves import HUNDRED, Wave, crowd, newcomers, wave
from lab.invariants.leaves import LeavesNothing
from lab.invariants.lost import is_lost
from lab.invariants.noise import noises
from lab.phases import (
    AFTER,
    BOUNDED,
    CROWD,
    FIRST,
    IDLE,
    LATER,
    LEAVE,
    MET,
    NEWCOMERS,
    PHASED,
    TALK,
    WAVE,
    Key,
    Phase,
    phases_of,
)
from lab.steps import Connect, Leave, Say, Send, actor_of
from lab.timeline import Json, Observation, Timeline

if TYPE_CHECKING:
    from lab.check.visit import Visit

HORIZON_SECONDS = 60.0
"""How much of the server's time is waited for: what is not over then is an orphan, if it grows."""

SOON_SECONDS = 1.0
"""How much of it is waited for in each phase, where a first wait up to the horizon has taken nothing away."""

SWEEP_SECONDS = 180.0
"""How much is then waited for at the end: a sweeper may come seldom."""

LAST_WORDS_SECONDS = 1.0
"""How long clients that are told to end may take to say that they have."""

MUCH_LATER_SECONDS = 3600.0
"""What is kept for longer than the horizon, and holds no connection, may be gone by then."""

TURNS, NEWCOMERS_TURNS, CROWD_TURNS = (2, 3, 4), (6, 7, 8), range(10, 22, 2)
"""For the how-manieth time the subjects come in later waves. One who comes twice in a wave takes the next as well.
Plain data may have a bound of the application's own making: up to six crowds are let in for it."""


class Experiment:
    """The phases of one case, played on a visit's stage; see lab.growth for what they show."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.timeline = visit, visit.timeline
        self.company = Company(visit)
        self._still, self._only_new = False, False

    def run(self) -> None:
        """A first wave has ended. If something is left of it when the horizon is reached: controls, and more waves."""
        subject = self.visit.subject_step
        leaves = [claim for claim in self.visit.scenario.then if isinstance(claim, LeavesNothing)]
        if subject is None or not leaves or is_lost(self.timeline):
            return
        people = evidence.crowd(self.timeline, leaves[0].who)
        self.visit.experimenting = True
        first, left = self._first(len(people) // self._ways())
        if left:
            self._controls(subject, first, left)
            if self._grows_with_each_wave(subject) or self._grows_with_newcomers(subject, first):
                self._look_further(subject)
        elif noises(self.timeline, people):
            self._over(IDLE)  # is it logged when nobody dies?

    def _first(self, deaths: int) -> tuple[Phase, frozenset[Key]]:
        """The phase of the first wave, and what is left of it when the horizon is reached."""
        self.visit.survey()
        early = self.phase(FIRST, deaths, dry=True)
        if before := growth.suspects(early):
            self.visit.move(HORIZON_SECONDS)
            self.visit.survey()
        first = self.phase(FIRST, deaths)
        self._still = not any(growth.has_come_back(key, early, first) for key in before)
        return first, growth.suspects(first) | {key for key in before if growth.is_left(key, first)}

    def _grows_with_each_wave(self, subject: Connect) -> bool:
        """Play the later waves, for as long as anything has grown with every one."""
        for turn in TURNS:
            self._wave(WAVE, wave(self.visit.scenario, subject, turn))
            if not self._grows(turn - 1) or is_lost(self.timeline):
                return False
        return True

    def _grows_with_newcomers(self, subject: Connect, first: Phase) -> bool:
        """Play waves with users who have not come before, if there is a dead connection for each who has."""
        if is_lost(self.timeline) or not growth.has_a_dead_one_for_each(first):
            return False
        self._only_new = True
        for number, turn in enumerate(NEWCOMERS_TURNS, start=1):
            self._wave(NEWCOMERS, newcomers(self.visit.scenario, subject, number, turn))
            if not self._grows(number) or is_lost(self.timeline):
                return False
        return True

    def _look_further(self, subject: Connect) -> None:
        """Is what grew swept, bounded, or gone much later?"""
        if self._still:
            self.visit.move(SWEEP_SECONDS)
            self.visit.survey()
            self.phase(AFTER, 0)
        found = [one for one in growth.grown(phases_of(self.timeline)) if not one.swept]
        if any(one.kind == "handler" for one in found):
            return  # as long as they run, all else is theirs
        self._is_it_bounded(subject, found)
        self._is_it_gone(found)

    def _is_it_bounded(self, subject: Connect, found: list[growth.Growth]) -> None:
        """A crowd tells, unless another case has found out."""
        open_ended = {one.key for one in found if growth.may_be_bounded(one, found)}
        known, held = self.visit.known, growth.holds_the_dead(phases_of(self.timeline))
        if (held and subject.times >= HUNDRED) or open_ended <= known.unbounded:
            return
        if open_ended <= known.bounded:
            self.phase(BOUNDED, 0, bounded=open_ended)
            return
        for turn in CROWD_TURNS:
            self._wave(CROWD, *crowd(self.visit.scenario, subject, turn, flooding=turn == CROWD_TURNS[0]))
            grown = growth.grown(phases_of(self.timeline))
            without = [one for one in grown if not one.bounded]
            if held or self._is_over() or not without or not all(map(growth.may_have_a_higher_bound, without)):
                break  # a connection that is held is an orphan long before hundreds are
        known.unbounded |= {one.key for one in grown if not one.bounded}
        known.bounded |= {one.key for one in grown if one.bounded and not one.sinks}

    def _is_it_gone(self, found: list[growth.Growth]) -> None:
        """An hour tells, unless what grew holds connections, or another case has found out."""
        keys = {one.key for one in found}
        if not keys or keys <= self.visit.known.lasting or growth.holds_the_dead(phases_of(self.timeline)):
            return
        self.visit.move(MUCH_LATER_SECONDS)
        self.visit.survey()
        self.phase(LATER, 0)
        self.visit.known.lasting |= {one.key for one in growth.grown(phases_of(self.timeline)) if not one.gone}

    def _controls(self, subject: Connect, first: Phase, left: frozenset[Key]) -> None:
        """As many messages, and nobody dies; time goes on, and nothing happens; somebody comes and leaves otherwise."""
        back = self.company.come_back()
        there = self.company.bystanders()
        talker = min(there, default="")
        messages = subject.times if talker and self.visit.manners.talks else 0
        for _ in range(messages):
            self.visit.say(talker)
        if self.visit.manners.talks:
            speakers = [step.who for step in self.visit.scenario.when if isinstance(step, Say)]
            for who in (one for speaker in speakers for one in sorted(there) if actor_of(one) == speaker):
                self.visit.say(who)  # what each of them says in a wave is said here as well
                messages += 1
        self._over(TALK, messages=messages, there=there, back=back)
        self._over(IDLE)
        if any(growth.may_be_a_gauge(key, first) for key in left):
            self._leave_otherwise(subject)

    def _leave_otherwise(self, subject: Connect) -> None:
        """With 1000; if that is how the case has them end, without a Close frame."""
        other = Connect("bob", times=subject.times)
        self.visit.connect(other)
        self.visit.rest()
        self.visit.survey()
        self.phase(MET, 0)
        polite = any(isinstance(step, Leave) and step.code == 1000 for step in self.visit.scenario.when)
        for who in other.connections:
            self.visit.order(who, "abort" if polite else "leave")
        self.visit.wait(lambda seen: all(over(seen, who) for who in other.connections), LAST_WORDS_SECONDS)
        self._over(LEAVE)

    def _wave(self, name: str, *parts: Wave) -> None:
        """The subjects come again, and end again; a crowd perhaps in parts."""
        known = {_user(seen.who) for seen in self.timeline.select("connected")} if self._only_new else set()
        people = [who for part in parts if not self._is_over() for who in play(part, self.visit, self.company)]
        died = len({_user(who) for who in people} - known) if self._only_new else len(people)
        self._over(name, deaths=died // self._ways(), messages=len(people))

    def _is_over(self) -> bool:
        """Whether nothing more can be told: the server is lost, or it was not at rest when it had to be."""
        return bool(self.visit.why) or is_lost(self.timeline)

    def _ways(self) -> int:
        """In how many ways the subjects of a wave end: each of them may leave something of its own."""
        return len({step.payload for step in self.visit.scenario.when if isinstance(step, Send)}) or 1

    def _over(
        self, name: str, deaths: int = 0, messages: int = 0, there: set[str] | None = None, back: int = 0
    ) -> None:
        """A phase is over when the horizon is reached; soon, if that is known to change nothing.

        Args:
            there: the bystanders that were connected when it began, if anything has been said since.
            back: how many of them came back in it: each adds herself to what her own end has left before.
        """
        before = self.company.bystanders() if there is None else there
        soon = self._still and not self.visit.scenario.silent  # who falls silent is noticed by a ping
        self.visit.move(SOON_SECONDS if soon else HORIZON_SECONDS)
        self.visit.survey()
        hung_up = before - self.company.bystanders()
        self.phase(name, deaths or len(hung_up) + back, messages)

    def _grows(self, waves: int) -> bool:
        """Whether anything has grown with every wave so far."""
        return bool(growth.candidates(phases_of(self.timeline), waves))

    def phase(
        self, name: str, deaths: int, messages: int = 0, *, dry: bool = False, bounded: Iterable[Key] = ()
    ) -> Phase:
        """Say that a phase is over; what it came to.

        Args:
            bounded: what another case has found to be.
            dry: only look, and say nothing.
        """
        detail: dict[str, Json] = {
            "phase": name,
            "deaths": deaths,
            "messages": messages,
            "living": list(self.company.living()),
            "why": self.visit.why,
            "bounded": [list(key) for key in sorted(bounded)],
        }
        seen = Observation(self.timeline.elapsed(), "lab", PHASED, "", detail)
        if dry:
            return phases_of(Timeline(self.timeline.header, [*self.timeline, seen]))[-1]
        self.timeline.record(seen)
        return phases_of(self.timeline)[-1]


def _user(connection: str) -> str:
    """Whose connection it is, the how-manieth she has: `alice-2` for `alice-2#3`."""
    return connection.partition("#")[0]
