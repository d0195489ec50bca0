"""Growth: what grows with each wave of deaths and with nothing else, told from sizes at the end of each phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from lab import growth
from lab.growth import ALIVE, Growth
from lab.invariants.leaves import LeavesNothing
from lab.phases import Phase, Size
from lab.timeline import Json, Observation, Timeline
from lab.verdict import Finding, Outcome
from tests.test_timeline import HEADER, seen

KEY = ("entries", "rooms.members")
PLAY = (("first", 3, 3), ("talk", 0, 3), ("idle", 0, 0), ("wave", 3, 3), ("wave", 3, 3), ("wave", 3, 3))
"""The phases of an experiment: name, deaths, messages."""

CROWD, LATER = ("crowd", 100, 100), ("later", 0, 0)


def series(
    *values: int,
    key: tuple[str, str] = KEY,
    base: int | None = 2,
    more: Sequence[tuple[str, int, int]] = (),
    also: dict[tuple[str, str], tuple[int, ...]] | None = None,
) -> list[Phase]:
    """The phases in which a size had those values at their ends."""
    others = also or {}
    found = []
    for number, (name, deaths, messages) in enumerate((*PLAY, *more)):
        sizes = {key: Size(values[number], base)} | {other: Size(those[number]) for other, those in others.items()}
        found.append(Phase(name, deaths, messages, sizes))
    return found


def only(phases: list[Phase]) -> Growth:
    """The only size that grew."""
    (found,) = growth.grown(phases)
    return found


def test_what_grows_by_one_for_each_death_in_every_wave_is_found_with_its_series() -> None:
    found = only(series(5, 5, 5, 8, 11, 14))
    assert (found.key, found.series, found.deaths, found.control) == (KEY, (3, 3, 3), (3, 3, 3), (0, 0))
    assert not found.bounded
    assert not found.gone


@pytest.mark.parametrize(
    "values",
    [
        (5, 5, 5, 5, 5, 5),
        (5, 5, 5, 8, 8, 8),
        (5, 5, 5, 7, 9, 11),
        (5, 5, 5, 8, 11, 13),
        (5, 8, 8, 11, 14, 17),
        (5, 5, 6, 9, 12, 15),
        (2, 2, 2, 2, 2, 2),
        (5, 5, 5, 2, 5, 8),
    ],
    ids=[
        "with-the-first-only",
        "with-one-wave",
        "by-less-than-the-deaths",
        "not-with-the-last",
        "with-messages",
        "with-time",
        "never",
        "and-shrank",
    ],
)
def test_what_does_not_grow_with_every_wave_and_with_nothing_else_is_no_orphan(values: tuple[int, ...]) -> None:
    assert growth.grown(series(*values)) == []


def test_a_bystander_that_hangs_up_in_a_control_may_leave_what_the_dead_leave() -> None:
    phases = series(5, 5, 6, 9, 12, 15)
    phases[2] = Phase("idle", 1, 0, phases[2].sizes)
    assert only(phases).control == (0, 1)


def test_what_stops_growing_in_a_crowd_has_a_bound() -> None:
    assert only(series(5, 5, 5, 8, 11, 14, 50, more=[CROWD])).bounded
    assert not only(series(5, 5, 5, 8, 11, 14, 114, more=[CROWD])).bounded


def test_what_is_gone_much_later_is_said_to_be() -> None:
    assert only(series(5, 5, 5, 8, 11, 14, 2, more=[LATER])).gone
    assert not only(series(5, 5, 5, 8, 11, 14, 14, more=[LATER])).gone


def test_a_queue_from_which_something_is_taken_and_not_put_back_shrinks_with_each_death() -> None:
    key = ("items", "pool")
    assert only(series(995, 995, 995, 992, 989, 986, key=key, base=998)).series == (3, 3, 3)
    assert growth.grown(series(9, 9, 9, 6, 3, 1, key=key, base=12)) == []


def test_of_a_dict_it_is_growth_that_counts_and_not_shrinking() -> None:
    assert growth.grown(series(995, 995, 995, 992, 989, 986, base=998)) == []


def numbered(*values: int, met: int, left: int) -> list[Phase]:
    """A whole number, with a control in which somebody comes and leaves otherwise after the others."""
    key = ("number", "online")
    phases = series(*values, key=key)
    controls = [Phase("met", 0, 0, {key: Size(met, 2)}), Phase("leave", 0, 0, {key: Size(left, 2)})]
    return [*phases[:3], *controls, *phases[3:]]


def test_a_number_that_comes_back_after_another_end_and_not_after_this_is_a_gauge_that_leaks() -> None:
    assert only(numbered(5, 5, 5, 8, 11, 14, met=8, left=5)).key == ("number", "online")
    falling = numbered(95, 95, 95, 92, 89, 86, met=92, left=95)
    assert only(falling).series == (3, 3, 3)


@pytest.mark.parametrize(
    ("met", "left"), [(8, 8), (5, 5), (5, 8)], ids=["a-total", "counts-such-ends", "counts-others"]
)
def test_a_number_that_never_comes_back_or_never_went_up_is_no_gauge(met: int, left: int) -> None:
    shift = left - 5
    assert growth.grown(numbered(5, 5, 5, 8 + shift, 11 + shift, 14 + shift, met=met, left=left)) == []


def test_what_may_be_an_orphan_has_grown_by_one_for_each_death_of_the_first_wave() -> None:
    assert growth.suspects(Phase("first", 3, 3, {KEY: Size(5, 2)})) == {KEY}
    assert growth.suspects(Phase("first", 3, 3, {KEY: Size(4, 2)})) == frozenset()
    assert growth.suspects(Phase("first", 3, 3, {("items", "pool"): Size(4, 7)})) == {("items", "pool")}
    assert growth.suspects(Phase("first", 3, 3, {ALIVE: Size(3)})) == frozenset()
    assert growth.suspects(Phase("first", 3, 3, {KEY: Size(3, None)})) == {KEY}


# From a timeline.

PEOPLE = [f"alice-{number}" for number in (1, 2, 3)]


def timeline(
    *values: int,
    held: Callable[[int], list[Json]] = lambda _: [],
    tasks: bool = False,
    alive: tuple[int, ...] | None = None,
    why: str = "",
    most: int = -1,
    more: Sequence[tuple[str, int, int]] = (),
) -> Timeline:
    """A history of a check, as it would be stored.

    Args:
        held: what a census finds, by how many have died in the waves.
        tasks: each of them has left a task.
    """

    def story() -> Iterator[Observation]:
        for who in PEOPLE:
            yield seen("connected", who, 1.0, "alice")
            yield seen("accepted", who, 1.0)
        for number, (name, deaths, messages) in enumerate((*PLAY, *more)):
            dead = 3 * max(0, number - 2)
            sizes: list[Json] = [[*KEY, values[number], 2, most, ""]]
            if tasks:
                sizes.append(["task", "beat() made at x.py:3 in ws()", dead, 0, -1, ""])
            if alive is not None:
                sizes.append([*ALIVE, alive[number], 0, -1, ""])
            yield seen("surveyed", "", 10.0 * number, ask=number, sizes=sizes)
            yield seen("counted", "", 10.0 * number, ask=number, held=held(dead), silent={}, error="")
            detail: dict[str, Json] = {
                "phase": name,
                "deaths": deaths,
                "messages": messages,
                "living": ["bob"],
                "why": why,
            }
            yield seen("phased", "", 10.0 * number + 1, "lab", **detail)

    return Timeline(HEADER, story(), sealed=True)


def judged(run: Timeline, kind: str = "connection") -> Finding:
    """What is said of one kind."""
    claim = LeavesNothing("alice-*", rows=False)
    return next(found for found in claim.check(Timeline.from_jsonl(run.to_jsonl())) if found.kind == kind)


def test_growth_is_a_violation_with_its_series_and_the_name_of_what_grew() -> None:
    found = judged(timeline(5, 5, 5, 8, 11, 14))
    assert (found.outcome, found.holder, found.evidence.key) == (Outcome.VIOLATED, "rooms.members", "grew-entries")
    assert found.growth
    assert (found.growth.series, found.growth.control) == ((3, 3, 3), (0, 0))


def left(kind: str, said: str, holder: str, *, sure: bool = True) -> Callable[[int], list[Json]]:
    """What a census finds of so many."""
    return lambda dead: [[kind, f"alice-{n}", said, holder, -1.0, "x.py:3 in ws()", sure] for n in range(dead)]


def test_of_those_that_are_left_one_names_the_holder() -> None:
    found = judged(timeline(5, 5, 5, 8, 11, 14, held=left("connection", "", "rooms.members['lobby']{…}")))
    assert (found.who, found.holder) == ("alice-0", "rooms.members['lobby']{…}")


def test_what_only_keeps_the_tasks_that_another_finding_is_about_is_no_finding_of_its_own() -> None:
    run = timeline(5, 5, 5, 8, 11, 14, held=left("task", "beat()", "rooms.members{…}"), tasks=True)
    assert (judged(run, "task").outcome, judged(run, "task").holder) == (Outcome.VIOLATED, "rooms.members{…}")
    assert judged(run).outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("run", "outcome", "key"),
    [
        (timeline(5, 5, 5, 5, 5, 5), Outcome.HELD, "first-only"),
        (timeline(2, 2, 2, 2, 2, 2), Outcome.HELD, "none-left"),
        (timeline(5, 5, 5, 8, 11, 14, 50, more=[CROWD]), Outcome.HELD, "bounded"),
        (timeline(5, 5, 5, 8, 11, 14, 2, more=[LATER]), Outcome.HELD, "late"),
        (timeline(5, 5, 5, 8, 11, 14, 2, more=[LATER], alive=(3, 3, 3, 6, 9, 12, 0)), Outcome.VIOLATED, "grew-entries"),
        (timeline(5, 5, 5, 8, 11, 14, most=500), Outcome.HELD, "bounded"),
        (timeline(5, 5, 5, 8, 11, 14, most=500, alive=(3, 3, 3, 6, 9, 12)), Outcome.VIOLATED, "grew-entries"),
        (timeline(5, 5, 5, 8, 11, 14, why="owing"), Outcome.UNKNOWN, "not-moved"),
        (timeline(5, 5, 5, 8, 11, 14).before("surveyed"), Outcome.UNKNOWN, "no-census"),
    ],
    ids=[
        "with-the-first-only",
        "nothing",
        "bounded",
        "gone-later",
        "holds-the-dead",
        "a-ring",
        "a-ring-of-the-dead",
        "time-stood",
        "nobody-looked",
    ],
)
def test_each_way_a_size_can_go_has_its_outcome(run: Timeline, outcome: Outcome, key: str) -> None:
    found = next(iter(LeavesNothing("alice-*", rows=False).check(run)))
    assert (found.outcome, found.evidence.key) == (outcome, key)


def test_while_handlers_run_what_they_hold_is_not_said_again() -> None:
    run = timeline(5, 5, 5, 8, 11, 14, held=left("handler", "ws()", ""))
    assert judged(run, "handler").outcome is Outcome.VIOLATED
    assert judged(run).outcome is Outcome.HELD


def test_one_who_lives_though_nobody_was_found_to_hold_her_is_a_doubt() -> None:
    assert judged(timeline(2, 2, 2, 2, 2, 2, held=left("connection", "", "", sure=False))).outcome is Outcome.UNKNOWN
