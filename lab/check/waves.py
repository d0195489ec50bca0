"""The same end again: the steps of a case for later waves, in which the same users come back, and for a crowd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lab.faults import SERVER, Fault
from lab.scenario import Scenario
from lab.steps import Connect, Flood, Leave, Send, Step, in_turn

HUNDRED = 100
"""How many a crowd has: a ring that holds more than that is not known to be one."""

THE_FEW = 5
"""Up to so many who connect at once, each says something first: what a server keeps of talkers must not be missed."""

FEW = 3
"""How many users come with each wave who have not come before."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave.

    Attributes:
        come: who connects, and is to end.
        end: how they end.
    """

    come: Connect
    end: tuple[Step, ...]


def wave(scenario: Scenario, subject: Connect, turn: int) -> Wave:
    """The wave in which the subjects come for the so manieth time, and end as the case has them end."""
    come = replace(subject, turn=turn)
    end = tuple(come if step == subject else _later(step, subject, turn) for step in scenario.when)
    return Wave(come, end)


def crowd(scenario: Scenario, subject: Connect, turn: int, *, flooding: bool = True) -> tuple[Wave, ...]:
    """The same for a hundred: what one of the subjects does, every third of the crowd does.

    They come at once; where they flood, as few at a time as ever. Each flood goes to all who are there: a hundred
    would be sent gigabytes.

    Args:
        flooding: without it they come at once, and do not flood.
    """
    if not flooding:
        scenario = replace(scenario, when=tuple(step for step in scenario.when if not isinstance(step, Flood)))
    if any(isinstance(step, Flood) for step in scenario.when):
        firsts = range(1, HUNDRED + 1, subject.times)
        return tuple(_of_many(scenario, subject, replace(subject, first=first), turn) for first in firsts)
    return (_of_many(scenario, subject, replace(subject, times=max(HUNDRED, subject.times)), turn),)


def newcomers(scenario: Scenario, subject: Connect, wave: int, turn: int) -> Wave:
    """The wave of newcomers with that number: all who have come so far, and a few users who have not."""
    return _of_many(scenario, subject, replace(subject, times=subject.times + FEW * wave), turn)


def is_a_crowd(step: Connect) -> bool:
    """Whether it is the crowd of an experiment, of whose members only the number matters."""
    return step.times > THE_FEW and step.turn > 1


def bystanders(scenario: Scenario, subject: Connect) -> tuple[str, ...]:
    """Those who connect and are not meant to end."""
    steps = (step for step in scenario.steps if isinstance(step, Connect) and not _is_own(step, subject))
    return tuple(who for step in steps for who in step.connections if step.who != subject.who)


def faults(scenario: Scenario) -> tuple[str, ...]:
    """The actors that suffer a fault, other than the server."""
    return tuple(dict.fromkeys(step.who for step in scenario.when if isinstance(step, Fault) and step.who != SERVER))


def _of_many(scenario: Scenario, subject: Connect, many: Connect, turn: int) -> Wave:
    end = [new for step in scenario.when for new in _for_all(step, subject, many, turn)]
    return Wave(replace(many, turn=turn), tuple(end))


def _later(step: Step, subject: Connect, turn: int) -> Step:
    return replace(step, who=in_turn(step.who, turn)) if _is_own(step, subject) else step


def _is_own(step: Step, subject: Connect) -> bool:
    """Whether one of the subjects takes it, under her own name; a fault is of her process."""
    first = {in_turn(name, later) for name in subject.connections for later in (1, 2)}
    return step.who in first and not isinstance(step, Fault)


def _for_all(step: Step, subject: Connect, many: Connect, turn: int) -> Iterator[Step]:
    """The step; if it is one of a subject's, once by each of the many whose place it is."""
    if step == subject:
        yield replace(many, turn=turn)
        return
    if not _is_own(step, subject):
        yield step
        return
    user = step.who.partition("#")[0]
    place, count = subject.connections.index(user), subject.times
    for who in many.connections[place::count]:
        if isinstance(step, Leave | Send | Flood | Connect):
            name = who + step.who.removeprefix(user)
            yield replace(step, who=in_turn(name, turn))
