"""Growth: what grows with each wave of deaths and with nothing else, told from sizes at the end of each phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from lab import growth
from lab.evidence import Held
from lab.growth import ALIVE, DEAD, Growth
from lab.invariants.leaves import LeavesNothing
from lab.phases import Phase, Size, phases_of
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


def of_users(*values: int, key: tuple[str, str] = DEAD, crowd: int = 100) -> list[Phase]:
    """The phases in which the same users leave nothing new, and waves follow in which others come as well."""
    names = [*PLAY[:4], *(("newcomers", 3, 6),) * 3, ("crowd", crowd, 112)]
    sizes = [{key: Size(value), ALIVE: Size(value)} for value in values]
    return [Phase(*phase, each) for phase, each in zip(names, sizes, strict=False)]


def test_one_dead_connection_for_each_user_is_an_orphan_and_anything_else_of_hers_is_not() -> None:
    values = (3, 3, 3, 3, 6, 9, 12, 112)
    found = only(of_users(*values))
    assert (found.series, found.deaths, found.of_users, found.bounded) == ((3, 3, 3), (3, 3, 3), True, False)
    assert growth.grown(of_users(*values, key=("entries", "mailboxes"))) == []
    assert growth.grown(of_users(*values, key=("type", "Player"))) == []


def test_dead_connections_that_do_not_grow_with_users_who_had_not_come_before_are_kept_for_those_who_had() -> None:
    assert growth.grown(of_users(3, 3, 3, 3, 3, 3, 3)) == []
    assert growth.grown(of_users(3, 3, 3, 3, 6, 9, 11)) == []
    assert only(of_users(3, 3, 3, 3, 6, 9, 12, 32)).bounded


def test_a_first_wave_that_leaves_a_dead_connection_for_each_calls_for_users_who_had_not_come_before() -> None:
    for size, called in ((3, True), (2, False)):
        assert growth.has_a_dead_one_for_each(Phase("first", 3, 3, {DEAD: Size(size)})) is called
    assert not growth.has_a_dead_one_for_each(Phase("first", 3, 3, {ALIVE: Size(3)}))


def test_who_ended_otherwise_in_a_control_is_no_example() -> None:
    held = (Held("connection", "bob-1", "", "room[0]"), Held("connection", "alice-1#2", "", "room[1]"))
    met = Phase("met", 0, 0, {}, living=frozenset({"bob-1"}))
    phases = series(5, 5, 5, 8, 11, 14, key=DEAD, base=0)
    (found,) = growth.grown([*phases[:3], met, *phases[3:-1], replace(phases[-1], held=held)])
    assert found.held == held[1]


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


def test_a_number_is_not_judged_where_others_live_after_each_wave() -> None:
    phases = numbered(5, 5, 5, 8, 11, 14, met=8, left=5)
    turns = [replace(phase, living=frozenset({f"alice-1#{turn}"})) for turn, phase in enumerate(phases)]
    assert growth.grown(turns) == []


def test_a_crowd_shows_a_bound_of_what_grew_by_more_than_one_for_each_death() -> None:
    waves = [replace(phase, deaths=phase.deaths // 3) for phase in series(5, 5, 5, 8, 11, 14)]
    assert only([*waves, Phase("crowd", 33, 100, {KEY: Size(52, 2)})]).bounded
    assert not only([*waves, Phase("crowd", 33, 100, {KEY: Size(113, 2)})]).bounded


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


@pytest.mark.parametrize(
    ("lost", "key"),
    [
        (("server", "frozen", "", {"where": "chat() at room.py:38", "ms": 1000.0}), "frozen-later"),
        (("lab", "exited", "server", {"code": 139}), "crashed-later"),
    ],
)
@pytest.mark.parametrize("values", [(5, 5, 5, 8, 11, 14), (2, 2, 2, 2, 2, 2)])
def test_a_server_that_is_lost_in_a_later_wave_leaves_the_claim_unknown(
    lost: tuple[str, str, str, dict[str, Json]], key: str, values: tuple[int, ...]
) -> None:
    source, what, who, detail = lost
    run = Timeline(HEADER, [*timeline(*values), Observation(1000.0, source, what, who, detail)], sealed=True)
    (found,) = LeavesNothing("alice-*", rows=False).check(run)
    assert (found.outcome, found.evidence.key) == (Outcome.UNKNOWN, key)


def test_while_handlers_run_what_they_hold_is_not_said_again() -> None:
    run = timeline(5, 5, 5, 8, 11, 14, held=left("handler", "ws()", ""))
    assert judged(run, "handler").outcome is Outcome.VIOLATED
    assert judged(run).outcome is Outcome.HELD


def test_one_who_lives_though_nobody_was_found_to_hold_her_is_a_doubt() -> None:
    assert judged(timeline(2, 2, 2, 2, 2, 2, held=left("connection", "", "", sure=False))).outcome is Outcome.UNKNOWN


# How many waves, and what else there is to compare.


@pytest.mark.parametrize("waves", [1, 2])
def test_fewer_than_three_waves_prove_nothing_though_they_name_candidates(waves: int) -> None:
    phases = series(5, 5, 5, 8, 11, 14)[: 3 + waves]
    assert growth.grown(phases) == []
    assert [one.key for one in growth.candidates(phases, waves)] == [KEY]
    assert growth.candidates(phases, waves + 1) == []


@pytest.mark.parametrize(("first", "found"), [(5, [KEY]), (2, [])], ids=["grew", "did-not"])
def test_waves_in_which_nobody_was_let_in_any_more_count_if_the_first_grew(
    first: int, found: list[tuple[str, str]]
) -> None:
    phases = series(first, first, first, first + 3, first + 3, first + 3)
    phases[4:] = [Phase("wave", 0, 0, phase.sizes) for phase in phases[4:]]
    assert [one.key for one in growth.grown(phases)] == found


def test_where_nobody_was_ever_let_in_again_nothing_has_grown() -> None:
    phases = series(5, 5, 5, 5, 5, 5)
    assert growth.grown([*phases[:3], *(Phase("wave", 0, 0, phase.sizes) for phase in phases[3:])]) == []


def test_a_set_that_shrinks_and_gets_back_what_others_took_is_a_pool_of_its_own() -> None:
    phases = series(95, 95, 95, 92, 89, 86, base=98)
    visit = [Phase(name, 0, 0, {KEY: Size(value, 98)}) for name, value in (("met", 92), ("leave", 95))]
    assert only([*phases[:3], *visit, *phases[3:]]).series == (3, 3, 3)
    tickets = [Phase(name, 0, 0, {KEY: Size(92, 98)}) for name in ("met", "leave")]
    assert growth.grown([*phases[:3], *tickets, *series(0, 0, 0, 89, 86, 83, base=98)[3:]]) == []


def test_a_number_and_a_set_that_shrank_may_be_a_gauge_and_nothing_else_may() -> None:
    number = ("number", "online")
    assert growth.may_be_a_gauge(number, Phase("first", 3, 3, {number: Size(5, 2)}))
    assert growth.may_be_a_gauge(KEY, Phase("first", 3, 3, {KEY: Size(2, 5)}))
    assert not growth.may_be_a_gauge(KEY, Phase("first", 3, 3, {KEY: Size(5, 2)}))
    assert not growth.may_be_a_gauge(("listed", "log"), Phase("first", 3, 3, {("listed", "log"): Size(2, 5)}))


@pytest.mark.parametrize(("value", "gone"), [(2, True), (8, True), (10, True), (11, False), (14, False)])
def test_much_later_less_must_be_left_than_the_waves_have_added(value: int, gone: bool) -> None:
    assert only(series(5, 5, 5, 8, 11, 14, value, more=[LATER])).gone is gone


@pytest.mark.parametrize("what", ["thread", "process", "descriptor"])
def test_what_the_system_has_little_of_is_not_excused_by_being_gone_later(what: str) -> None:
    assert not only(series(5, 5, 5, 8, 11, 14, 2, key=(what, "one"), more=[LATER])).gone


def test_what_has_no_bound_and_stays_is_named_before_what_has_or_goes() -> None:
    kept, ring, late = ("entries", "z.kept"), ("entries", "a.ring"), ("entries", "b.late")
    values = (5, 5, 5, 8, 11, 14)
    phases = series(
        *values, 114, 114, key=kept, more=[CROWD, LATER], also={ring: (*values, 50, 50), late: (*values, 114, 2)}
    )
    assert [one.key for one in growth.grown(phases)] == [kept, late, ring]


# What explains what.


def growing(what: str, *steps: int) -> Growth:
    """A size that grew so."""
    return Growth((what, f"the {what}"), steps or (3, 3, 3), (3, 3, 3), (0, 0))


@pytest.mark.parametrize(
    ("one", "other", "explained"),
    [
        (growing("entries"), growing("task"), True),
        (growing("listed"), growing("task"), True),
        (growing("items"), growing("thread"), True),
        (growing("type"), growing("task"), True),
        (growing("type"), growing("entries"), True),
        (growing("type"), growing("entries", 9, 9, 9), True),
        (growing("entries", 3, 4, 3), growing("task"), False),
        (growing("type", 6, 6, 6), growing("task"), False),
        (growing("type"), growing("type"), False),
        (growing("entries"), growing("type"), False),
        (growing("entries"), growing("entries"), False),
        (growing("places"), growing("task"), False),
        (growing("number"), growing("task"), False),
        (growing("entries"), growing("descriptor"), False),
    ],
    ids=lambda one: " ".join(map(str, (one.key[0], *one.series))) if isinstance(one, Growth) else str(one),
)
def test_what_keeps_or_counts_what_another_growth_is_about_is_explained(
    one: Growth, other: Growth, explained: bool
) -> None:
    assert growth.is_explained(one, [other]) is explained
    assert not growth.is_explained(one, [])


# More of timelines.


def told(*surveys: dict[tuple[str, str], int], held: Sequence[list[Json]] = ()) -> Timeline:
    """What was surveyed at the end of each phase; the story is the first of them."""

    def story() -> Iterator[Observation]:
        yield from (seen("connected", who, 1.0, "alice") for who in PEOPLE)
        for number, (sizes, name) in enumerate(zip(surveys, ("story", *(name for name, _, _ in PLAY)), strict=False)):
            rows: list[Json] = [[*key, size, 0, -1, ""] for key, size in sizes.items()]
            yield seen("surveyed", "", 10.0 * number, sizes=rows)
            yield seen("counted", "", 10.0 * number, held=list(held), silent={}, error="")
            deaths = 3 if name in ("first", "wave") else 0
            yield seen(
                "phased", "", 10.0 * number + 1, "lab", phase=name, deaths=deaths, messages=0, living=["bob"], why=""
            )

    return Timeline(HEADER, story(), sealed=True)


def test_the_story_is_no_phase_of_the_experiment() -> None:
    assert [one.name for one in phases_of(told({KEY: 5}, {KEY: 5}, {KEY: 5}))] == ["first", "talk"]


def test_a_size_that_a_survey_does_not_speak_of_is_what_it_was_at_first() -> None:
    first, talk = phases_of(told({}, {KEY: 5}, {}))
    assert first.of(KEY) == Size(5, 0)
    assert talk.of(KEY) is None


def test_those_who_live_and_rows_are_not_among_those_who_are_left() -> None:
    held: list[list[Json]] = [
        ["handler", "bob", "ws()", ""],
        ["row", "alice-1", "", ""],
        ["handler", "alice-2", "ws()", ""],
    ]
    (first,) = phases_of(told({}, {}, held=held))
    assert [(one.kind, one.who) for one in first.held] == [("handler", "alice-2")]
    assert first.of(("handler", "")) == Size(1)


def test_a_handler_of_somebody_who_lives_is_no_orphan_however_often_she_comes() -> None:
    run = timeline(2, 2, 2, 2, 2, 2, held=lambda dead: [["handler", "bob", "ws()", "", -1.0, "", True]] * dead)
    assert judged(run, "handler").outcome is Outcome.HELD


def test_what_grew_with_the_first_wave_only_is_named_for_its_own_kind_alone() -> None:
    run = timeline(2, 2, 2, 2, 2, 2)
    sizes: list[Json] = [["task", "beat() made at x.py:3 in ws()", 3, 0, -1, ""]]
    changed = Timeline(
        HEADER,
        (
            Observation(one.at, one.source, one.what, one.who, {**one.detail, "sizes": sizes})
            if one.what == "surveyed"
            else one
            for one in run
        ),
        sealed=True,
    )
    assert judged(changed).evidence.key == "none-left"
    found = judged(changed, "task")
    assert (found.outcome, found.evidence.key) == (Outcome.HELD, "first-only")


def test_of_tasks_only_one_that_the_same_line_made_is_an_example() -> None:
    def tasks(dead: int) -> list[Json]:
        others: list[Json] = [["task", "alice-9", "wait()", "elsewhere", -1.0, "y.py:9 in other()", True]]
        return others + left("task", "beat()", "rooms.beats{…}")(dead)

    found = judged(timeline(5, 5, 5, 5, 5, 5, held=tasks, tasks=True), "task")
    assert (found.who, found.holder) == ("alice-0", "rooms.beats{…}")


@pytest.mark.parametrize(("what", "kind"), [("process", "task"), ("thread", "task"), ("descriptor", "socket")], ids=str)
def test_from_outside_what_the_system_shows_to_grow_is_found_and_of_the_rest_nothing_is_said(
    what: str, kind: str
) -> None:
    key = (what, "sleep")
    run = told({}, *({key: size} for size in (3, 3, 3, 6, 9, 12)))
    (found,) = LeavesNothing("alice-*", rows=False).check(run)
    assert (found.outcome, found.kind, found.evidence.key) == (Outcome.VIOLATED, kind, f"grew-{what}")
    still = told({}, *({key: 3} for _ in range(6)))
    assert list(LeavesNothing("alice-*", rows=False).check(still)) == []


STOPPED = (seen("connected", "alice-1", 1.0, "alice"), seen("accepted", "alice-1", 1.0))


@pytest.mark.parametrize(
    ("followed", "outcome", "key"),
    [
        (("", ""), None, ""),
        (("", "sleep 600"), Outcome.VIOLATED, "outlived"),
        (("fork", "fork"), Outcome.VIOLATED, "outlived-fork"),
        (("",), Outcome.UNKNOWN, "outlived-unknown"),
    ],
    ids=["all-ended-too", "one-ran-on", "two-forks-ran-on", "nobody-saw-one"],
)
def test_processes_that_run_on_when_the_server_has_ended_are_left_behind(
    followed: tuple[str, ...], outcome: Outcome | None, key: str
) -> None:
    ended = seen("exited", "server", 5.0, "lab", code=0, left=2)
    what_became = [seen("followed", "server", 6.0, "lab", command=command) for command in followed]
    run = Timeline(HEADER, [*STOPPED, ended, *what_became], sealed=True)
    found = [one for one in LeavesNothing("alice-*", stopped=True, rows=False).check(run) if one.kind == "task"]
    assert [(one.outcome, one.evidence.key) for one in found] == ([(outcome, key)] if outcome else [])


def test_a_machine_that_is_late_does_not_say_that_a_process_ran_on() -> None:
    ended, ran_on = (
        seen("exited", "server", 5.0, "lab", code=0, left=1),
        seen("followed", "server", 6.0, "lab", command="w"),
    )
    late = seen("woken", "", 7.0, "lab", late_ms=5000.0)
    run = Timeline(HEADER, [*STOPPED, ended, ran_on, late], sealed=True)
    (found,) = (one for one in LeavesNothing("alice-*", stopped=True, rows=False).check(run) if one.kind == "task")
    assert found.outcome is Outcome.UNKNOWN


def test_an_example_is_one_who_ended_as_the_case_has_them_end() -> None:
    met, left = ("met", 0, 0), ("leave", 0, 0)
    phases = series(5, 5, 5, 8, 11, 14, 14, 14, more=[met, left])
    phases[-2] = replace(phases[-2], living=frozenset({"bob-1"}))
    both = tuple(Held("connection", who, "", "rooms") for who in ("bob-1", "alice-1"))
    phases[-1] = replace(phases[-1], held=both)
    assert [one.who for one in growth.dead(phases)] == ["alice-1"]
