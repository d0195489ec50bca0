"""Later waves: whoever comes again comes under the next name, and ends as the case has them end."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from lab.check.cases import THREE, cases
from lab.check.waves import HUNDRED, Wave, bystanders, crowd, faults, newcomers, wave
from lab.faults import SERVER, Fault, Interrupt, Kill, Pause, Reset, Stall
from lab.invariants.leaves import LeavesNothing
from lab.scenario import Scenario
from lab.steps import Connect, Flood, Leave, Say, Send, Step

CASES = cases()
WAVED = [name for name, one in CASES.items() if any(isinstance(claim, LeavesNothing) for claim in one.then)]
"""Those in which it is asked what is left: only these have later waves."""

ALICE, DAVE = Connect("alice", times=3), Connect("dave", times=100)
FIRST, LATER = ("alice-1", "alice-2", "alice-3"), ("alice-1#2", "alice-2#2", "alice-3#2")


def subject_of(name: str) -> Connect:
    """Those who are to end."""
    return DAVE if name == "crowd" else ALICE


def ends(found: Wave) -> tuple[Step, ...]:
    """What happens to them; what was done to others meanwhile is left out."""
    return tuple(step for step in found.end if step.who not in (SERVER, "bob", "carol", "erin"))


def leaving(names: tuple[str, ...], code: int = 1000, reason: str = "") -> tuple[Step, ...]:
    """Each of them leaves."""
    return tuple(Leave(who, code, reason) for who in names)


def test_every_case_that_has_waves_is_meant_here() -> None:
    assert set(CASES) - set(WAVED) == {"twins", "again"}


@pytest.mark.parametrize("name", WAVED)
def test_in_a_wave_the_same_users_come_once_more_each_under_her_next_name(name: str) -> None:
    subject = subject_of(name)
    for turn in (2, 3, 6):
        come = wave(CASES[name], subject, turn).come
        assert come.connections == tuple(f"{who}#{turn}" for who in subject.connections)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("close", leaving(LATER, 1000, "bye")),
        ("away", leaving(LATER, 1001)),
        ("kill", (Kill("alice"),)),
        ("quit", (Interrupt("alice"),)),
        ("reset", (Reset("alice"),)),
        ("pause", (Pause("alice"),)),
        ("stall", (Stall("alice"),)),
        ("crowd", (Kill("dave"),)),
        ("talk", (Kill("alice"),)),
        ("flood", (Flood("alice-1#2"), Kill("alice"))),
        ("stop", ()),
        (
            "garbage",
            (
                Send("alice-1#2", "{not json"),
                Send("alice-2#2", b"\xff\xfe"),
                Send("alice-3#2", "[1, 2]"),
                Kill("alice"),
            ),
        ),
    ],
)
def test_in_a_wave_they_end_as_the_case_has_them_end(name: str, expected: tuple[Step, ...]) -> None:
    assert ends(wave(CASES[name], subject_of(name), 2)) == expected


@pytest.mark.parametrize("name", WAVED)
def test_what_others_do_meanwhile_is_done_in_every_wave(name: str) -> None:
    others = [step for step in CASES[name].when if step.who in (SERVER, "bob", "carol", "erin")]
    found = wave(CASES[name], subject_of(name), 3).end
    assert [step for step in found if step.who in (SERVER, "bob", "carol", "erin")] == others


def test_one_who_comes_again_before_she_has_left_has_two_names_in_every_wave() -> None:
    found = wave(CASES["rejoin"], ALICE, 2)
    assert found.come.connections == LATER
    again = tuple(Connect(f"{who}#3") for who in THREE)
    assert ends(found) == (*again, *leaving(LATER))


def test_the_second_name_of_one_wave_is_the_first_of_the_next() -> None:
    chain = [wave(CASES["rejoin"], ALICE, turn) for turn in (2, 3, 4)]
    for this, after in itertools.pairwise(chain):
        came = {step.who for step in this.end if isinstance(step, Connect)}
        assert came == set(after.come.connections)
        assert came.isdisjoint(step.who for step in this.end if isinstance(step, Leave))
    left = [step.who for one in chain for step in one.end if isinstance(step, Leave)]
    assert len(set(left)) == len(left) == 9


@pytest.mark.parametrize("name", [name for name in WAVED if name not in ("stop", "flood")])
def test_a_crowd_is_a_hundred_at_once_and_each_of_them_ends(name: str) -> None:
    (found,) = crowd(CASES[name], subject_of(name), 6)
    assert found.come.times == HUNDRED
    assert found.come.turn == 6
    own = [step for step in ends(found) if isinstance(step, Leave | Send)]
    faulted = any(isinstance(step, Fault) for step in ends(found))
    assert faulted or {step.who for step in own} == set(found.come.connections)


@pytest.mark.parametrize("name", [name for name in WAVED if name != "stop"])
def test_with_newcomers_come_all_who_came_before_and_three_more_in_each_wave_and_each_of_them_ends(name: str) -> None:
    subject = subject_of(name)
    before = {who.partition("#")[0] for who in subject.connections}
    for number, turn in enumerate((6, 7, 8), start=1):
        found = newcomers(CASES[name], subject, number, turn)
        users = {who.partition("#")[0] for who in found.come.connections}
        assert before < users
        assert len(users) == len(subject.connections) + 3 * number
        before = users
        own = {step.who for step in ends(found) if isinstance(step, Leave | Send)}
        faulted = any(isinstance(step, Fault) for step in ends(found))
        assert faulted or {who.partition("#")[0] for who in own} == users


def test_what_one_of_three_does_every_third_of_the_crowd_does() -> None:
    (found,) = crowd(CASES["garbage"], ALICE, 6)
    sent = {step.who: step.payload for step in found.end if isinstance(step, Send)}
    kinds: list[str | bytes] = ["{not json", b"\xff\xfe", "[1, 2]"]
    assert [sent[f"alice-{n}#6"] for n in range(1, 101)] == [kinds[(n - 1) % 3] for n in range(1, 101)]
    assert Counter(sent.values()) == {"{not json": 34, b"\xff\xfe": 33, "[1, 2]": 33}
    assert found.end[-1] == Kill("alice")


def test_a_crowd_that_floods_comes_as_few_at_a_time_as_ever_and_nobody_twice() -> None:
    found = crowd(CASES["flood"], ALICE, 6)
    came = [who for part in found for who in part.come.connections]
    assert {len(part.come.connections) for part in found} == {3}
    assert set(came) >= {f"alice-{n}#6" for n in range(1, HUNDRED + 1)}
    assert len(came) == len(set(came))
    for part in found:
        assert ends(part) == (Flood(part.come.connections[0]), Kill("alice"))


def test_a_fault_of_the_process_is_one_however_many_it_has() -> None:
    (found,) = crowd(CASES["kill"], ALICE, 6)
    assert ends(found) == (Kill("alice"),)


def test_each_of_a_crowd_comes_again_before_she_leaves() -> None:
    (found,) = crowd(CASES["rejoin"], ALICE, 6)
    came = [step.who for step in found.end if isinstance(step, Connect)]
    left = [step.who for step in found.end if isinstance(step, Leave)]
    assert sorted(came) == sorted(f"alice-{n}#7" for n in range(1, 101))
    assert sorted(left) == sorted(f"alice-{n}#6" for n in range(1, 101))
    last = max(found.end.index(step) for step in found.end if isinstance(step, Connect))
    assert all(found.end.index(step) > last for step in found.end if isinstance(step, Leave))


@pytest.mark.parametrize("name", [*WAVED, "twins"])
def test_bystanders_are_those_who_connect_and_are_not_meant_to_end(name: str) -> None:
    more = ("erin",) if name in ("talk", "flood") else ()
    assert bystanders(CASES[name], subject_of(name)) == ("bob", "carol", *more)


@pytest.mark.parametrize("name", [*WAVED, "twins"])
def test_faulted_actors_are_named_once_and_the_server_is_none_of_them(name: str) -> None:
    whole = {"crowd": ("dave",), "close": (), "away": (), "rejoin": (), "twins": (), "stop": ()}
    assert faults(CASES[name]) == whole.get(name, ("alice",))


def test_an_actor_that_suffers_two_faults_is_named_once() -> None:
    one = Scenario("", (), (Pause("alice"), Say("bob"), Kill("alice"), Kill("carol")), 1.0, (), "")
    assert faults(one) == ("alice", "carol")
