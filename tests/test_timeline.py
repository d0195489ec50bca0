"""The timeline: stored and read again it is the same, it wakes who waits, and damage is told by its line."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab.timeline import CutShort, Header, Json, Observation, Timeline, TimelineError

PATIENCE = 20.0
HEADER = Header("kill", "reference", "embedded", "rfc6455")

SEPARATORS = "\x85\u2028\u2029"
"""What str.splitlines() takes for the end of a line, and JSON does not."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(SEPARATORS), max_size=12)
"""Any text but half a surrogate pair, which UTF-8 cannot store."""

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=4,
)
TIMES = st.floats(-1e9, 1e9).map(lambda at: round(at, 3))
OBSERVATIONS = st.builds(Observation, TIMES, TEXT, TEXT, TEXT, st.dictionaries(TEXT, VALUES, max_size=2))
PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

HEADERS = st.builds(Header, TEXT, TEXT, TEXT, TEXT)


def seen(what: str, who: str = "alice", at: float = 0.0, source: str = "server", **detail: Json) -> Observation:
    """An observation of which little matters."""
    return Observation(at, source, what, who, detail)


def stored(*lines: object, header: object = None) -> str:
    """A stored timeline with these lines after its header."""
    first = header or json.loads(Timeline(HEADER).to_jsonl())
    return "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in (first, *lines))


def read_or_told_why_not(text: str) -> Timeline | str:
    """The timeline, or what is wrong with it."""
    try:
        return Timeline.from_jsonl(text)
    except TimelineError as error:
        return str(error)


# Stored and read again.


@PATIENT
@given(HEADERS, st.lists(OBSERVATIONS, max_size=5), st.booleans())
@example(HEADER, [], True)
@example(HEADER, [], False)
def test_a_timeline_that_is_stored_and_read_is_the_same(header: Header, seen: list[Observation], sealed: bool) -> None:
    before = Timeline(header, seen, sealed=sealed)
    after = Timeline.from_jsonl(before.to_jsonl())
    assert after.header == header
    assert list(after) == seen
    assert after.sealed is sealed
    assert after.to_jsonl() == before.to_jsonl()


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
def test_a_separator_within_a_text_ends_no_line(separator: str) -> None:
    timeline = Timeline(HEADER, [seen("received", text=f"one{separator}two")], sealed=True)
    assert list(Timeline.from_jsonl(timeline.to_jsonl())) == list(timeline)


def test_every_observation_is_one_line_between_a_header_and_a_seal() -> None:
    timeline = Timeline(
        HEADER, [seen("told", at=1.5, code=1006), seen("logged", text="two\nlines, 한국어")], sealed=True
    )
    head, *lines, seal = timeline.to_jsonl().splitlines()
    assert json.loads(head) == {
        "hangup": 1,
        "scenario": "kill",
        "subject": "reference",
        "backend": "embedded",
        "flavour": "rfc6455",
    }
    assert [json.loads(line)["what"] for line in lines] == ["told", "logged"]
    assert json.loads(lines[0]) == {
        "at": 1.5,
        "source": "server",
        "what": "told",
        "who": "alice",
        "detail": {"code": 1006},
    }
    assert "한국어" in lines[1]
    assert json.loads(seal) == {"sealed": 2}


@PATIENT
@given(st.lists(OBSERVATIONS, min_size=1, max_size=3), st.data())
def test_a_timeline_that_was_cut_off_is_never_sealed(seen: list[Observation], data: st.DataObject) -> None:
    text = Timeline(HEADER, seen, sealed=True).to_jsonl()
    cut = text[: data.draw(st.integers(1, len(text) - 2))]
    read = read_or_told_why_not(cut)
    if isinstance(read, str):
        assert read.startswith("line ")
    else:
        assert not read.sealed
        assert list(read) == seen[: len(read)]


def test_a_timeline_without_its_last_line_is_unsealed() -> None:
    lines = Timeline(HEADER, [seen("told")], sealed=True).to_jsonl().splitlines(keepends=True)
    assert not Timeline.from_jsonl("".join(lines[:-1])).sealed


def test_a_timeline_of_which_a_line_is_missing_in_the_middle_is_unsealed() -> None:
    lines = Timeline(HEADER, [seen("told"), seen("returned")], sealed=True).to_jsonl().splitlines(keepends=True)
    assert not Timeline.from_jsonl("".join([*lines[:1], *lines[2:]])).sealed


def test_whatever_stands_after_the_seal_is_no_part_of_the_story() -> None:
    read = Timeline.from_jsonl(stored({"sealed": 0}, {"at": 1, "detail": {}}))
    assert (len(read), read.sealed) == (0, True)


GOOD = {"at": 1.0, "source": "server", "what": "told", "who": "alice", "detail": {}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("\n", "line 1 is not JSON"),
        ("hello\n", "line 1 is not JSON"),
        ("7\n", "line 1 is not a JSON object"),
        ("{}\n", "line 1 is not the header of a timeline with schema 1"),
        (stored(header={"hangup": 2}), "line 1 is not the header of a timeline with schema 1"),
        (stored(GOOD, "{"), "line 3 is not JSON"),
        (stored(GOOD, ""), "line 3 is not JSON"),
        (stored(GOOD, [GOOD]), "line 3 is not a JSON object"),
        (stored({}), "line 2 is not an observation"),
        (stored(GOOD, GOOD, {**GOOD, "at": "1.0"}), "line 4 is not an observation"),
        (stored({**GOOD, "at": None}), "line 2 is not an observation"),
        (stored({**GOOD, "detail": []}), "line 2 is not an observation"),
        (stored({**GOOD, "detail": None}), "line 2 is not an observation"),
    ],
)
def test_damage_is_told_by_its_line(text: str, why: str) -> None:
    with pytest.raises(TimelineError) as caught:
        Timeline.from_jsonl(text)
    assert str(caught.value) == why


@pytest.mark.parametrize("key", ["source", "what", "who"])
def test_an_observation_that_lacks_something_is_damage(key: str) -> None:
    with pytest.raises(TimelineError, match="line 2 is not an observation"):
        Timeline.from_jsonl(stored({name: value for name, value in GOOD.items() if name != key}))


@PATIENT
@given(st.text() | TEXT.map(stored))
def test_whatever_is_read_it_is_a_timeline_or_one_line_that_says_why_not(text: str) -> None:
    read = read_or_told_why_not(text)
    assert isinstance(read, Timeline) or len(read.splitlines()) == 1


# Recording.


def test_what_is_recorded_keeps_the_order_in_which_it_arrived() -> None:
    timeline = Timeline(HEADER)
    for number, at in enumerate((3.0, 1.0, 2.0)):
        timeline.record(seen("told", f"client-{number}", at))
    assert [one.at for one in timeline] == [3.0, 1.0, 2.0]
    assert [one.who for one in timeline.select("told")] == ["client-0", "client-1", "client-2"]
    assert len(timeline) == 3


def test_it_is_found_by_what_who_and_source() -> None:
    timeline = Timeline(HEADER)
    for one in (seen("closed"), seen("closed", source="alice"), seen("closed", "bob"), seen("told", at=5.0)):
        timeline.record(one)
    assert len(list(timeline.select("closed"))) == 3
    assert len(list(timeline.select("closed", "alice"))) == 2
    assert [one.source for one in timeline.select("closed", "alice", "alice")] == ["alice"]
    assert [one.who for one in timeline.select("closed", source="server")] == ["alice", "bob"]
    assert timeline.first("closed") == seen("closed")
    assert timeline.last("closed") == seen("closed", "bob")
    assert timeline.last("closed", "alice", "server") == seen("closed")
    assert timeline.first("told", "bob") is None
    assert timeline.last("returned") is None
    assert list(timeline.select("never")) == []


def test_recording_while_somebody_reads_disturbs_nobody() -> None:
    timeline = Timeline(HEADER, [seen("told"), seen("told")])
    for _ in timeline:
        timeline.record(seen("told"))
    for _ in timeline.select("told"):
        timeline.record(seen("told"))
    assert len(timeline) == 8


def test_after_the_seal_nothing_is_added() -> None:
    timeline = Timeline(HEADER)
    timeline.record(seen("told"))
    assert not timeline.sealed
    timeline.seal()
    timeline.record(seen("returned"))
    assert timeline.sealed
    assert [one.what for one in timeline] == ["told"]
    assert timeline.first("returned") is None


def test_when_the_story_begins_what_was_before_is_forgotten_and_time_starts() -> None:
    timeline = Timeline(HEADER, [seen("listening")])
    before = timeline.started
    timeline.begin()
    assert timeline.started > before
    assert (len(timeline), timeline.first("listening")) == (0, None)
    assert list(timeline.select("listening", "alice")) == []
    assert timeline.elapsed(timeline.started + 0.25) == 250
    assert timeline.elapsed(timeline.started - 0.001) == -1
    assert 0 <= timeline.elapsed() < PATIENCE * 1000


def test_details_are_numbers_codes_and_texts_or_nothing() -> None:
    one = seen("told", code=1006, ms=1.5, reason="bye", yes=True, nothing=None)
    assert [one.number(key) for key in ("code", "ms", "reason", "yes", "nothing", "missing")] == [
        1006,
        1.5,
        *[None] * 4,
    ]
    assert [one.code(key) for key in ("code", "ms", "reason", "yes", "missing")] == [1006, *[None] * 4]
    assert one.code() == 1006
    assert [one.text(key) for key in ("reason", "code", "nothing", "missing")] == ["bye", "1006", "", ""]


# Waiting.


def in_another_thread(do: Callable[[], object]) -> threading.Thread:
    """Start it there."""
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread


def test_who_waits_is_woken_by_what_is_recorded() -> None:
    timeline = Timeline(HEADER)
    asked = threading.Event()
    woken: list[bool] = []

    def fact(so_far: Timeline) -> bool:
        asked.set()
        return so_far.first("told") is not None

    waiting = in_another_thread(lambda: woken.append(timeline.wait_for(fact, PATIENCE)))
    assert asked.wait(PATIENCE)  # it has looked, and holds the lock until it waits
    timeline.record(seen("accepted"))
    timeline.record(seen("told"))
    waiting.join(PATIENCE)
    assert woken == [True]


def test_who_waits_is_woken_by_the_seal() -> None:
    timeline = Timeline(HEADER)
    asked = threading.Event()
    woken: list[bool] = []

    def fact(so_far: Timeline) -> bool:
        asked.set()
        return so_far.sealed

    waiting = in_another_thread(lambda: woken.append(timeline.wait_for(fact, PATIENCE)))
    assert asked.wait(PATIENCE)
    timeline.seal()
    waiting.join(PATIENCE)
    assert woken == [True]


def test_who_waits_is_told_when_nobody_wants_to_know_any_more() -> None:
    timeline, told = Timeline(HEADER), threading.Event()
    asked = threading.Event()

    def fact(_so_far: Timeline) -> bool:
        asked.set()
        return False

    def wait() -> None:
        with pytest.raises(CutShort):
            timeline.wait_for(fact, PATIENCE)
        told.set()

    waiting = in_another_thread(wait)
    assert asked.wait(PATIENCE)
    timeline.cut_short()
    waiting.join(PATIENCE)
    assert told.is_set()
    with pytest.raises(CutShort):
        timeline.wait_for(lambda _: True, 0.0)


def test_what_has_been_seen_already_needs_no_waiting() -> None:
    timeline = Timeline(HEADER, [seen("told")])
    assert timeline.wait_for(lambda so_far: so_far.first("told") is not None, 0.0)


def test_what_does_not_come_is_waited_for_no_longer_than_asked() -> None:
    assert not Timeline(HEADER).wait_for(lambda so_far: so_far.first("told") is not None, 0.0)
    assert not Timeline(HEADER).wait_for(lambda so_far: so_far.first("told") is not None, 0.01)


def test_eight_who_record_at_once_lose_nothing_and_keep_their_own_order() -> None:
    timeline, each = Timeline(HEADER), 500
    together = threading.Barrier(8)

    def record(who: str) -> None:
        together.wait(PATIENCE)
        for number in range(each):
            timeline.record(seen("received", who, number=number))

    names = [f"client-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, names))
    assert len(timeline) == len(list(timeline.select("received"))) == 8 * each
    for who in names:
        assert [one.number("number") for one in timeline.select("received", who)] == list(range(each))
    timeline.seal()
    assert list(Timeline.from_jsonl(timeline.to_jsonl())) == list(timeline)


def asked_how_often(timeline: Timeline, record: Callable[[], None], fact: Callable[[Timeline], bool]) -> int:
    """How often it is asked whether the fact holds, until it does, while that is recorded."""
    times = 0
    asked = threading.Event()

    def counting(so_far: Timeline) -> bool:
        nonlocal times
        times += 1
        asked.set()
        return fact(so_far)

    waiting = in_another_thread(lambda: timeline.wait_for(counting, PATIENCE))
    assert asked.wait(PATIENCE)
    record()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
    return times


def test_who_waits_is_not_woken_by_what_she_did_not_look_for() -> None:
    timeline = Timeline(HEADER)

    def record() -> None:
        for number in range(1000):
            timeline.record(seen("received", "bob", number=number))
            timeline.record(seen("told", "bob"))
        timeline.record(seen("told", "alice"))

    assert asked_how_often(timeline, record, lambda so_far: so_far.first("told", "alice") is not None) == 2


def test_who_waits_for_anything_is_woken_by_anything() -> None:
    timeline = Timeline(HEADER)
    assert asked_how_often(timeline, lambda: timeline.record(seen("told")), lambda so_far: len(so_far) > 0) == 2
    assert asked_how_often(timeline, lambda: timeline.record(seen("told")), lambda so_far: len(list(so_far)) > 1) == 2


def test_who_waits_is_woken_by_the_end_of_an_actor_and_by_a_change_that_is_no_observation() -> None:
    timeline, gone = Timeline(HEADER), threading.Event()

    def exit_server() -> None:
        gone.set()
        timeline.record(seen("exited", "server"))

    def stir() -> None:
        gone.set()
        timeline.stir()

    for end in (exit_server, stir):
        gone.clear()
        assert asked_how_often(timeline, end, lambda so_far: bool(so_far.first("told")) or gone.is_set()) == 2


def test_two_who_wait_at_once_are_each_woken_by_her_own_fact() -> None:
    timeline, woken = Timeline(HEADER), list[str]()
    looked = threading.Barrier(3)

    def wait(who: str) -> None:
        looked.wait(PATIENCE)
        if timeline.wait_for(lambda so_far: so_far.first("told", who) is not None, PATIENCE):
            woken.append(who)

    waiting = [in_another_thread(lambda who=who: wait(who)) for who in ("alice", "bob")]  # type: ignore[misc]  # mypy cannot infer a default
    looked.wait(PATIENCE)
    timeline.record(seen("told", "bob"))
    timeline.record(seen("told", "alice"))
    for one in waiting:
        one.join(PATIENCE)
    assert sorted(woken) == ["alice", "bob"]
