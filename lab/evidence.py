"""Reading a timeline: what claims and reports need to know of it. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lab.counter import counts
from lab.faults import SERVER
from lab.steps import actor_of
from lab.timeline import Json, Observation, Timeline
from lab.verdict import Codes

NO_GOODBYE = 1006  # RFC 6455 §7.1.5: no Close frame was received


@dataclass(frozen=True, slots=True)
class Held:
    """One thing the server held at a census.

    Attributes:
        wakes_ms: milliseconds until a timer wakes it; -1 if none does.
        made: for a task, the line that made it.
        sure: whether it was proved to be held.
    """

    kind: str
    who: str
    evidence: str
    holder: str
    wakes_ms: float = -1.0
    made: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Census:
    """What the server held at one moment.

    Attributes:
        at: milliseconds since the run began.
        held: everything it held.
        silent: for each connection, milliseconds since the last byte from its client.
        error: why part of it could not be counted, or "".
    """

    at: float
    held: tuple[Held, ...]
    silent: dict[str, float]
    error: str

    def of(self, who: str, kind: str) -> tuple[Held, ...]:
        """What is held for `who`. Rows are per user: those beyond the user's running handlers are nobody's."""
        if kind != "row":
            return tuple(held for held in self.held if held.kind == kind and matches(held.who, who))
        users = {user_of(who)} if "*" not in who else {held.who for held in self.held if matches(held.who, who)}
        served = self.served()
        rows: dict[str, list[Held]] = {user: [] for user in sorted(users)}
        for row in self.held:
            if row.kind == "row" and row.who in rows:
                rows[row.who].append(row)
        return tuple(row for user, theirs in rows.items() for row in theirs[served[user] :])

    def served(self) -> Counter[str]:
        """How many handlers run for each user."""
        return Counter(user_of(held.who) for held in self.held if held.kind == "handler")


def user_of(connection: str) -> str:
    """The user behind a connection: `alice` for `alice#2`."""
    return connection.partition("#")[0]


def matches(name: str, who: str) -> bool:
    """Whether a connection is meant by `who`: itself, or a crowd such as `carol-*`, second connections left out."""
    return name == who or ("*" in who and fnmatchcase(name, who) and ("#" in who or "#" not in name))


def crowd(timeline: Timeline, who: str) -> tuple[str, ...]:
    """The connections meant by `who`: those that ever connected, for a crowd; else just `who`."""
    if "*" not in who:
        return (who,)
    names = {seen.who for seen in timeline.select("connected") if matches(seen.who, who)}
    return tuple(sorted(names))


def censuses(timeline: Timeline) -> Iterator[Census]:
    """Every census, in order."""
    return map(census_of, timeline.select("counted"))


def last_census(timeline: Timeline) -> Census | None:
    """The last census, or None where nobody has counted since the last fault."""
    last, fault = timeline.last("counted"), timeline.last("injected")
    return None if last is None or (fault is not None and last.at < fault.at) else census_of(last)


def started(timeline: Timeline, who: str) -> Observation | None:
    """What began the end of a connection: the last fault on its actor, link or server, or its own leaving."""
    faults = (timeline.last("injected", actor_of(who)), timeline.last("injected", SERVER))
    ordered = [seen for seen in timeline.select("ordered", who) if seen.text("do") in ("leave", "send")]
    return max((seen for seen in (*faults, *ordered) if seen is not None), key=lambda seen: seen.at, default=None)


def noticed(timeline: Timeline, who: str) -> Observation | None:
    """When the application learned of the end: it was told, or its handler returned without being told."""
    return timeline.first("told", who) or timeline.first("returned", who)


def noticed_ms(timeline: Timeline, who: str) -> float | None:
    """Milliseconds of the server's time from the start of the end to its being noticed; 0 if it ended before."""
    start, seen = started(timeline, who), noticed(timeline, who)
    return None if start is None or seen is None else max(0.0, round(_server_ms(timeline, seen, start), 3))


def moved_ms(timeline: Timeline, at: float) -> float:
    """By how much the server's clock was ahead at a moment, because the lab had moved it."""
    moves = (seen.number("ms") or 0.0 for seen in timeline.select("moved") if seen.at <= at)
    return max(moves, default=0.0)


def _server_ms(timeline: Timeline, seen: Observation, start: Observation) -> float:
    return seen.at - start.at + moved_ms(timeline, seen.at) - moved_ms(timeline, start.at)


def crossings(timeline: Timeline, actor: str) -> Iterator[Observation]:
    """Whatever a client said or heard, pings included: each is bytes that crossed her link, or were to."""
    for what in ("connected", "received", "pinged", "sent"):
        yield from timeline.select(what, source=actor)


def looked_ms(timeline: Timeline, since: float, until: float) -> float:
    """How long, between two moments, our own census kept the server busy: on a busy machine that may be seconds."""
    times = ((seen.at - (seen.number("took_ms") or 0.0), seen.at) for seen in timeline.select("counted"))
    return round(sum(max(0.0, min(end, until) - max(begin, since)) for begin, end in times), 3)


def cleaned_ms(timeline: Timeline, who: str) -> float | None:
    """Milliseconds until nothing was left: the handler's return, or the first census that stayed clean if later."""
    start, returned = started(timeline, who), timeline.first("returned", who)
    if start is None or returned is None:
        return None
    clean: float | None = None
    for census in censuses(timeline):
        if census.at < returned.at:
            continue
        if any(census.of(who, kind) for kind in ("connection", "handler", "task", "row")):
            clean = -1.0
        elif clean is None:
            clean = returned.at
        elif clean < 0:
            clean = census.at
    if clean is None or clean < 0:
        return None
    return round(clean - start.at + moved_ms(timeline, clean) - moved_ms(timeline, start.at), 3)


def codes(timeline: Timeline, who: str) -> Codes:
    """How a connection ended, at the client, on the wire and in the application."""
    closed, told, wire = (timeline.first(what, who) for what in ("closed", "told", "disconnected"))
    return Codes(closed.code() if closed else None, wire_code(wire) if wire else None, told.code() if told else None)


def wire_code(disconnected: Observation) -> int:
    """The Close frame that came, else the one that went, else 1006."""
    return disconnected.code("received") or disconnected.code("sent") or NO_GOODBYE


def counter_lines(timeline: Timeline) -> list[tuple[Observation, int]]:
    """Every line of the server's log that counts what is open, with its count."""
    logged = list(timeline.select("logged", source=SERVER))
    said = zip(logged, counts(seen.text("text") for seen in logged), strict=True)
    return [(seen, count) for seen, count in said if count is not None]


def census_of(counted: Observation) -> Census:
    """A census, from the observation that it was taken."""
    held, silent, error = counted.detail.get("held"), counted.detail.get("silent"), counted.text("error")
    entries = tuple(_held(held))
    if not isinstance(held, list) or len(entries) < len(held):
        error = error or "an entry is not understood"
    return Census(counted.at, entries, dict(_numbers(silent)), error)


def _held(held: Json) -> Iterator[Held]:
    for item in held if isinstance(held, list) else ():
        if isinstance(item, list) and len(item) >= 4:
            kind, who, said, holder, *rest = item
            wakes = rest[0] if rest and isinstance(rest[0], int | float) else -1.0
            made = rest[1] if len(rest) > 1 and isinstance(rest[1], str) else ""
            yield Held(str(kind), str(who), str(said), str(holder), float(wakes), made, rest[2:3] != [False])


def _numbers(silent: Json) -> Iterator[tuple[str, float]]:
    if not isinstance(silent, str | int | float | bool | list | None):
        for who, ms in silent.items():
            if isinstance(ms, int | float):
                yield who, float(ms)


HOPS = 5
"""A fact passes so many processes and threads at the most, each of which may be woken late.

They are the client, the link, the server, the thread that reads its pipe, and the thread that waits for the fact."""


def woken_late_ms(timeline: Timeline) -> float:
    """How late the machine woke the lab, at the worst; 0 if nobody looked."""
    seen = timeline.last("woken", source="lab")
    return (seen.number("late_ms") or 0.0) if seen else 0.0


def could_be_met(timeline: Timeline, bound_ms: float) -> bool:
    """Whether the machine could have met a bound, as late as it was."""
    return HOPS * woken_late_ms(timeline) < bound_ms


def has_exited(timeline: Timeline, actor: str) -> bool:
    """Whether its process has ended since the last fault it suffered; an earlier life of it may have ended before."""
    injected, exited = timeline.last("injected", actor), timeline.last("exited", actor)
    return exited is not None and (injected is None or exited.at >= injected.at)


def left_behind(timeline: Timeline, actor: str) -> tuple[int, list[str]]:
    """How many processes it left when it ended, and what those were that were still there five seconds later."""
    exited = timeline.last("exited", actor)
    left = int(exited.number("left") or 0) if exited is not None else 0
    return left, [seen.text("command") for seen in timeline.select("followed", actor) if seen.text("command")]


def all_have_followed(timeline: Timeline) -> bool:
    """Whether it is known of each process that the server left what became of it."""
    return sum(1 for _ in timeline.select("followed", SERVER)) >= left_behind(timeline, SERVER)[0]
