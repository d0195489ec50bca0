"""The cases of a check: the ways in which any server must survive the end of its clients. Values only.

Alice is the subject, three times over, so that what is left once can be told from what is left for each; bob and
carol are bystanders. Titles are in `words/`, under `case`.
"""

from __future__ import annotations

from dataclasses import replace

from lab.faults import SERVER, Heal, Idle, Interrupt, Kill, Pause, Reset, Stall, Stop
from lab.invariants import Invariant, StopsInTime
from lab.invariants.company import DiesWell, Readmitted, Served, ToldToGo
from lab.invariants.foreign import CounterTrue, Noticed
from lab.invariants.leaves import LeavesNothing
from lab.invariants.noise import Quiet
from lab.scenario import Scenario
from lab.steps import Connect, Flood, Leave, Rest, Say, Send, Step

ALICE = "alice-*"
AT_ONCE = 0.5 + 1.0
"""Seconds for an end that the kernel announces; most of it is for a busy machine."""

PINGED = 41.5
"""Seconds, of the server's time, for one that only pings find: 20 s between two of uvicorn's, 20 s for the answer."""


FORGOTTEN_AFTER = 0.25
"""Seconds without a byte after which the way between forgets a flow, in real time."""

CROWDED = 5.0
"""Seconds for a hundred at once: each may still be busy with what it sets up, a row for instance."""

GIVEN = (Connect("bob"), Connect("carol"), Connect("alice", times=3))
THREE = ("alice-1", "alice-2", "alice-3")


def case(
    name: str,
    *when: Step,
    bound: float = AT_ONCE,
    quiet: bool = True,
    rows: bool = True,
    who: str = ALICE,
    given: tuple[Step, ...] = GIVEN,
) -> tuple[str, Scenario]:
    """An ordinary case: alice ends, nothing of her is left, bob is still served."""
    left = LeavesNothing(who, rows=rows)
    counter = CounterTrue(at_last=name == "crowd")
    claims: tuple[Invariant, ...] = (Noticed(who, bound), left, counter, Served("bob"))
    return name, Scenario(name, given, when, bound, (*claims, Quiet(who)) if quiet else claims, "")


def cases() -> dict[str, Scenario]:
    """Every case by its name, in the order in which they are reported."""
    crowd = (Connect("bob"), Connect("carol"), Connect("dave", times=100))
    # Erin comes after alice: who stands behind a dead member in a list must not suffer for it.
    dying = (Pause(SERVER), Kill("alice"), Say("carol"), Heal(SERVER), Say("carol"))
    talk = case("talk", Connect("erin"), *dying, quiet=False, rows=False)[1]
    stuck = (Flood("alice-1"), Say("bob"), Say("carol"), Kill("alice"))
    flood = case("flood", Connect("erin"), *stuck, bound=AT_ONCE + 1.0, quiet=False, rows=False)[1]
    survivors = (Served("alice-2"), Served("alice-3"))
    # One connection alone proves nothing of what grows; and what a user's next connection uses is no orphan.
    twins = case("twins", Leave("alice-1"), who="alice-1", rows=False)[1]
    rejoin = case("rejoin", *(Connect(f"{who}#2") for who in THREE), *map(Leave, THREE), quiet=False, rows=False)[1]
    return dict(
        (
            case("close", *(Leave(who, 1000, "bye") for who in THREE)),
            case("kill", Kill("alice")),
            case("quit", Interrupt("alice")),
            case("away", *(Leave(who, 1001) for who in THREE)),
            case("reset", Reset("alice")),
            case("pause", Pause("alice"), bound=PINGED),
            case("stall", Stall("alice"), bound=PINGED),
            case("idle", Idle("alice", FORGOTTEN_AFTER), bound=PINGED),
            case("early", Kill("alice"), given=(*GIVEN[:-1], Connect("alice", times=3, mute=True))),
            ("knock", _knock()),
            ("talk", _with(talk, Served("carol"), Served("erin"))),
            ("rejoin", _with(rejoin, *(Served(f"{who}#2") for who in THREE))),
            ("twins", _with(_without_left(twins), *survivors)),
            ("garbage", _garbage()),
            ("flood", _with(flood, Served("carol"), Served("erin"))),
            case("crowd", Kill("dave"), given=crowd, who="dave-*", bound=CROWDED),
            ("again", _again(crowd)),
            ("stop", _stop()),
        )
    )


def _knock() -> Scenario:
    # Frozen, the server finds the request and its client's end at once when it goes on.
    knock = Connect("alice", times=3, knock=True)
    claims: tuple[Invariant, ...] = (LeavesNothing(ALICE, rows=False), CounterTrue(), Served("bob"))
    return Scenario("knock", GIVEN[:-1], (Pause(SERVER), knock, Kill("alice"), Heal(SERVER)), AT_ONCE, claims, "")


def _again(crowd: tuple[Step, ...]) -> Scenario:
    # A minute later, by the server's clock: a server may refuse clients that come back at once.
    back = (Kill("dave"), Rest("dave", 60.0), Connect("dave", times=100, turn=2))
    return Scenario("again", crowd, back, CROWDED, (Readmitted("dave-*"),), "")


def _with(scenario: Scenario, *more: Served) -> Scenario:
    return replace(scenario, then=(*scenario.then, *more))


def _without_left(scenario: Scenario) -> Scenario:
    return replace(scenario, then=tuple(one for one in scenario.then if not isinstance(one, LeavesNothing)))


def _garbage() -> Scenario:
    nonsense = (Send("alice-1", "{not json"), Send("alice-2", b"\xff\xfe"), Send("alice-3", "[1, 2]"))
    claims: tuple[Invariant, ...] = (*map(DiesWell, THREE), LeavesNothing(ALICE), CounterTrue(), Served("bob"))
    return Scenario("garbage", GIVEN, (*nonsense, Kill("alice")), AT_ONCE, claims, "")


def _stop() -> Scenario:
    claims: tuple[Invariant, ...] = (
        StopsInTime(seconds=3.0),
        ToldToGo("bob"),
        ToldToGo(ALICE),
        LeavesNothing(ALICE, stopped=True),
    )
    return Scenario("stop", GIVEN, (Stop(SERVER),), 3.5, claims, "")
