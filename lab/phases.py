"""The phases of an experiment, as a timeline has them: who died in each, and how large everything was at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lab import evidence
from lab.evidence import Held
from lab.timeline import Json, Observation, Timeline

PHASED = "phased"
"""The lab's own observation that a phase is over; what was last surveyed and counted before it is its result.

The first of them is the case's own story, which most claims are about: what comes after it is the experiment."""


STORY, FIRST, TALK, IDLE, MET, LEAVE, WAVE, NEWCOMERS, AFTER, CROWD, LATER, BOUNDED = (
    "story",
    "first",
    "talk",
    "idle",
    "met",
    "leave",
    "wave",
    "newcomers",
    "after",
    "crowd",
    "later",
    "bounded",
)


CONTROLS = (TALK, IDLE)


Key = tuple[str, str]
"""What kind of size it is, and where or what."""


@dataclass(frozen=True, slots=True)
class Size:
    """A size at the end of a phase.

    Attributes:
        base: what it was when nobody had died yet; None if that is not known.
        most: the bound that it has by its own making, or -1.
        example: for a type, the path to one of its objects.
    """

    size: int
    base: int | None = 0
    most: int = -1
    example: str = ""

    @property
    def change(self) -> int:
        """By how much it differs from what it was at first."""
        return self.size - (self.base or 0)


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase.

    Attributes:
        deaths: how many ended in it, as the case has them end; in a control, bystanders that hung up; in
            a wave of newcomers, and in a crowd after it, only those of users who had not come before.
        messages: how many messages were said in it.
        sizes: all that differed at its end from how it was at first.
        held: what the census found of those that are gone.
        why: why the server's clock could not be moved as far as was asked, or "".
        living: those who were connected at its end.
        bounded: what another case of the same check has shown to have a bound.
    """

    name: str
    deaths: int
    messages: int
    sizes: Mapping[Key, Size]
    held: tuple[Held, ...] = ()
    why: str = ""
    living: frozenset[str] = frozenset()
    bounded: frozenset[Key] = frozenset()

    def of(self, key: Key) -> Size | None:
        """A size, if it differed from the base."""
        return self.sizes.get(key)


@dataclass(slots=True)
class _Reading:
    """What was last seen, while a timeline is read."""

    sizes: dict[Key, Size] = field(default_factory=dict)
    understood: bool = True
    counted: Observation | None = None


def phases_of(timeline: Timeline) -> list[Phase]:
    """The phases of a case, in order."""
    found: list[Phase] = []
    reading = _Reading()
    for seen in timeline:
        if seen.what == "surveyed":
            said = seen.detail.get("sizes")
            reading.sizes = dict(_sizes(said))
            reading.understood = isinstance(said, list) and len(reading.sizes) == len(said)
        elif seen.what == "counted":
            reading.counted = seen
        elif seen.what == PHASED and seen.text("phase") != STORY:
            found.append(_phase(seen, reading))
    return found


def _phase(seen: Observation, reading: _Reading) -> Phase:
    living = seen.detail.get("living")
    alive = frozenset(str(who) for who in living) if isinstance(living, list) else frozenset()
    census = evidence.census_of(reading.counted) if reading.counted else None
    held = census.held if census else ()
    why = seen.text("why") or ("survey" if not reading.understood or (census and census.error) else "")
    left = tuple(one for one in held if one.kind != "row" and one.who not in alive)
    counts = Counter(one.kind for one in left if one.sure and one.kind in ("handler", "connection"))
    doubts = sum(one.kind == "connection" and not one.sure for one in left)
    sizes = reading.sizes | {(kind, ""): Size(count) for kind, count in counts.items()}
    if doubts:
        sizes["connection", "?"] = Size(doubts + counts["connection"])
    deaths, messages = (int(seen.number(key) or 0) for key in ("deaths", "messages"))
    return Phase(
        seen.text("phase"), deaths, messages, sizes, left, why, alive, frozenset(_keys(seen.detail.get("bounded")))
    )


def _keys(said: Json) -> Iterator[Key]:
    for item in said if isinstance(said, list) else ():
        if isinstance(item, list) and len(item) == len(("what", "key")):
            yield str(item[0]), str(item[1])


def _sizes(said: Json) -> Iterator[tuple[Key, Size]]:
    for item in said if isinstance(said, list) else ():
        if isinstance(item, list) and len(item) == 6:
            what, key, size, base, most, example = item
            if isinstance(size, int) and isinstance(most, int) and (base is None or isinstance(base, int)):
                yield (str(what), str(key)), Size(size, base, most, str(example))
