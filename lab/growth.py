"""Growth: which sizes of a server grow with each death, and with nothing else. Pure.

A case is played in phases: a first wave of deaths, then controls in which nobody dies, then more waves. After each
phase a survey and a census are taken. A size that grew with every wave by at least one for each death, and did not in
the controls, is an orphan; one that grew with the first wave only is kept per user, or was made once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from lab.evidence import Held
from lab.phases import AFTER, CONTROLS, CROWD, FIRST, LATER, LEAVE, MET, NEWCOMERS, WAVE, Key, Phase, Size

KIND = {
    **dict.fromkeys(
        ("connection", "entries", "listed", "places", "items", "lent", "cached", "number", "type"), "connection"
    ),
    **dict.fromkeys(("task", "thread", "process"), "task"),
    "handler": "handler",
    "descriptor": "socket",
}
"""The kind of orphan that a size is evidence of."""

DEAR = ("thread", "process", "descriptor")
"""What the system has little of: kept beyond the horizon, it is an orphan even if a timer ends it one day."""

ALIVE: Key = ("alive", "")
"""How many connections that have ended are still alive, whatever holds them."""

DEAD: Key = ("connection", "")
"""How many connections that have ended are held by something that has a name."""

OF_USERS = (DEAD, ALIVE)
"""What is an orphan even if there is only one for each user: all else may be kept for her return."""

SHRINKING = ("items", "listed", "number", "entries")
"""What an orphan may take from as well: places in a pool of the application's own, a number of what is free."""

ENOUGH = 3
"""So many waves must have grown."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How one size developed.

    Attributes:
        series: by how much it grew with each wave.
        deaths: how many died in each wave.
        control: by how much it grew in each control.
        bounded: whether it stopped growing in a crowd, or has a bound of its own and what it holds is no connection.
        gone: whether it came back to what it was, much later, and is nothing that the system has little of.
        swept: whether it came back to that within minutes: somebody comes by and clears up.
        sinks: whether it shrank: it cannot for ever.
        of_users: whether it grew with users who had not come before: those who come back take their places over.
        held: an example, from the census.
        example: for a type, the path to one of its objects.
    """

    key: Key
    series: tuple[int, ...]
    deaths: tuple[int, ...]
    control: tuple[int, ...]
    bounded: bool = False
    gone: bool = False
    swept: bool = False
    sinks: bool = False
    of_users: bool = False
    held: Held | None = None
    example: str = ""

    @property
    def kind(self) -> str:
        """The kind of orphan it is."""
        return KIND[self.key[0]]


def suspects(phase: Phase) -> frozenset[Key]:
    """What may be an orphan, after a first wave: it grew by one or more for each death. (Or shrank: an own pool.)"""
    found = {key for key, size in phase.sizes.items() if _rose(key, size, max(1, phase.deaths))}
    return frozenset(found)


def has_a_dead_one_for_each(phase: Phase) -> bool:
    """Whether a dead connection is held for each that died."""
    size = phase.of(DEAD)
    return size is not None and size.change >= max(1, phase.deaths)


def is_left(key: Key, phase: Phase) -> bool:
    """Whether anything of it is there, be it less than one for each death: a sweeper may have died of the first."""
    size = phase.of(key)
    return size is not None and size.change > 0


def is_explained(one: Growth, others: Iterable[Growth]) -> bool:
    """Whether it only keeps, or counts, what another growth is about: a set of tasks that grows, and the tasks."""
    if one.key[0] not in ("entries", "listed", "items", "type"):
        return False
    return any(
        (other.kind == "task" and other.series == one.series)
        or (one.key[0] == "type" and other.key[0] != "type" and other.kind == "connection")
        for other in others
    )


def may_be_bounded(one: Growth, found: list[Growth]) -> bool:
    """Whether a crowd can tell: places are taken for good, and what another growth explains needs none."""
    return one.kind == "connection" and one.key[0] != "places" and not is_explained(one, found)


def may_have_a_higher_bound(one: Growth) -> bool:
    """Whether another crowd can tell: it is a list or a dict of plain data. What shrinks is soon empty."""
    return one.key[0] in ("entries", "listed") and not one.sinks


def may_be_a_gauge(key: Key, phase: Phase) -> bool:
    """Whether it takes another way to end to tell what a size is: a whole number, or a set that shrank."""
    size = phase.of(key)
    return key[0] == "number" or (key[0] == "entries" and size is not None and size.change < 0)


def is_a_history(key: Key, phases: Iterable[Phase]) -> bool:
    """Whether a size grew while nobody died, too."""
    sizes = [(phase.name, size.size if (size := phase.of(key)) is not None else 0) for phase in phases]
    return any(after[1] > before[1] for before, after in pairwise(sizes) if after[0] in CONTROLS)


def has_come_back(key: Key, before: Phase, after: Phase) -> bool:
    """Whether a size is nearer to what it was at first than before, if only in part."""
    ways = [abs(size.change) if (size := phase.of(key)) is not None else 0 for phase in (before, after)]
    return ways[1] < ways[0]


def holds_the_dead(phases: Iterable[Phase]) -> bool:
    """Whether with each wave more connections that had ended were still alive when the horizon was reached."""
    return _growth(ALIVE, [phase for phase in phases if phase.name not in (AFTER, LATER)]) is not None


def grown(phases: Iterable[Phase]) -> list[Growth]:
    """Every size that grew with each wave and with nothing else, so far."""
    all_phases = list(phases)
    keys = {key for phase in all_phases for key in phase.sizes if key[0] in KIND}
    found = (_growth(key, all_phases) for key in keys)
    return sorted((one for one in found if one is not None), key=lambda one: (one.kind, one.bounded, one.gone, one.key))


def candidates(phases: list[Phase], waves: int) -> list[Growth]:
    """What grew with each of so many waves, the last ones that there may still be apart."""
    keys = {key for phase in phases for key in phase.sizes if key[0] in KIND}
    found = (_growth(key, phases, enough=waves) for key in keys)
    return [one for one in found if one is not None]


def _growth(key: Key, phases: list[Phase], enough: int = ENOUGH) -> Growth | None:
    base = next((size.base for phase in phases if (size := phase.of(key)) is not None), 0) or 0
    values = [size.size if (size := phase.of(key)) is not None else base for phase in phases]
    steps = [(after, b - a) for (a, b), after in zip(pairwise([base, *values]), phases, strict=True)]
    sinks = key[0] in SHRINKING and all(step < 0 for phase, step in steps if phase.name == WAVE)
    sign = -1 if sinks else 1
    wave = NEWCOMERS if key in OF_USERS and any(phase.name == NEWCOMERS for phase in phases) else WAVE
    waves = [(phase.deaths, sign * step) for phase, step in steps if phase.name == wave and phase.deaths]
    controls = [(phase.deaths, sign * step) for phase, step in steps if phase.name in CONTROLS]
    refused = sum(phase.name == WAVE and not phase.deaths for phase in phases)
    first = next((sign * step >= phase.deaths for phase, step in steps if phase.name == FIRST), False)
    if not waves or len(waves) + refused * first < enough or any(step < deaths for deaths, step in waves):
        return None  # where nobody is let in any more, what grew with those before is what keeps them out
    if any(step > deaths for deaths, step in controls):
        return None  # a history, or a clock
    if (key[0] == "number" or (key[0] == "entries" and sinks)) and not _is_a_gauge(steps, sign):
        return None
    if key[0] == "number" and len({phase.living for phase in phases if phase.name in (FIRST, WAVE)}) > 1:
        return None  # it may be theirs who live, as a sum of what each of them is numbered by
    most = max((size.most for phase in phases if (size := phase.of(key)) is not None), default=-1)
    dead = most > 0 and holds_the_dead(phases)
    crowds = [(phase.deaths, sign * step) for phase, step in steps if phase.name == CROWD]
    total = sum(step for _, step in waves)
    each = min(step // deaths for deaths, step in waves)
    after = [value for phase, value in zip(phases, values, strict=True) if phase.name == AFTER]
    later = [value for phase, value in zip(phases, values, strict=True) if phase.name == LATER]
    return Growth(
        key,
        tuple(step for _, step in waves),
        tuple(deaths for deaths, _ in waves),
        tuple(step for _, step in controls),
        bounded=any(step < deaths * each for deaths, step in (crowds[:1] if sinks else crowds))
        or (most > 0 and not dead)
        or any(key in phase.bounded for phase in phases),
        gone=bool(later) and key[0] not in DEAR and sign * (later[-1] - base) < total,
        sinks=sinks,
        of_users=wave == NEWCOMERS,
        swept=bool(after) and sign * (after[-1] - base) < total,
        held=_example(key, phases),
        example=next((size.example for phase in reversed(phases) if (size := phase.of(key)) is not None), ""),
    )


def _is_a_gauge(steps: list[tuple[Phase, int]], sign: int) -> bool:
    """Whether it moved and came back when somebody came and left otherwise.

    A total never comes back, and neither does a set of tickets of which each who comes takes one.
    """
    met = next((sign * step for phase, step in steps if phase.name == MET), 0)
    left = next((sign * step for phase, step in steps if phase.name == LEAVE), 0)
    return met > 0 and met + left <= 0


def dead(phases: list[Phase]) -> list[Held]:
    """What is left at last of those who ended as the case has them end."""
    otherwise = next((phase.living for phase in phases if phase.name == MET), frozenset())
    return [one for one in phases[-1].held if one.who not in otherwise]


def _example(key: Key, phases: list[Phase]) -> Held | None:
    """One of those that are held: for a task, one that the same line made. One who ended otherwise is no example."""
    for held in sorted(dead(phases), key=_first_of_all):
        if held.kind == key[0] and (held.kind != "task" or held.made == "" or held.made in key[1]):
            return held
    return None


def _first_of_all(held: Held) -> tuple[int, str]:
    """Those who came first have the shortest names."""
    return len(held.who), held.who


def _rose(key: Key, size: Size, deaths: int) -> bool:
    if key == ALIVE:
        return False  # what holds them grows too
    return (abs(size.change) if key[0] in SHRINKING else size.change) >= deaths
