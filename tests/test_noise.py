"""Noise: an error in the log is the end's own only if nothing like it is there before, or while nobody dies."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lab.invariants.noise import Quiet, noises
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome
from tests.test_timeline import HEADER, seen

PEOPLE = ("alice-1", "alice-2", "alice-3")
BEFORE, END, DURING, STORY, TALK, IDLE, WAVE = 50.0, 100.0, 110.0, 200.0, 300.0, 400.0, 500.0
"""When something is logged, or a phase is over."""


def line(at: float, error: str = "KeyError: 'alice'", who: str = "", **detail: str) -> Observation:
    """An error in the log."""
    said = {"logger": "app", "text": "Task exception was never retrieved", "place": "rooms.py:31", **detail}
    return seen("logged", who, at, "server", error=error, **said)


def story(*logged: Observation, returned: Sequence[Observation] = (), ended: float = END) -> Timeline:
    """Three come and are killed; then two controls and a wave. Something is logged meanwhile."""
    happened = [
        *(seen("accepted", who, 10.0) for who in PEOPLE),
        *(seen("connected", who, 10.0, "alice") for who in PEOPLE),
        seen("injected", "alice", ended, "lab", fault="kill"),
        *(seen("phased", "", at, "lab", phase=name) for name, at in PHASES),
        *logged,
        *returned,
    ]
    return Timeline(HEADER, sorted(happened, key=lambda one: one.at), sealed=True)


PHASES = (("story", STORY), ("first", STORY + 1), ("talk", TALK), ("idle", IDLE), ("wave", WAVE))


def said(run: Timeline) -> Finding:
    """What is said of it."""
    (found,) = Quiet("alice-*").check(run)
    return found


def escaped(*errors: str) -> list[Observation]:
    """The handlers have returned, each with one of these."""
    return [seen("returned", who, DURING, error=error) for who, error in zip(PEOPLE, errors, strict=False)]


def test_nothing_that_is_logged_is_no_noise() -> None:
    assert said(story()).outcome is Outcome.HELD


def test_what_is_logged_in_nobodys_name_after_the_end_and_at_no_other_time_is_noise() -> None:
    found = said(story(line(DURING), line(DURING + 1)))
    assert (found.outcome, found.evidence.key) == (Outcome.VIOLATED, "noise-at")


def test_it_is_quoted_with_the_place_it_came_from() -> None:
    found = said(story(line(DURING), line(DURING + 1)))
    values = dict(found.evidence.args)
    assert (values["text"], values["place"]) == ("KeyError: 'alice'", "rooms.py:31")
    assert values["line"] == "Task exception was never retrieved"


def test_what_comes_from_no_place_is_quoted_without() -> None:
    found = said(story(line(DURING, place=""), line(DURING + 1, place="")))
    assert found.evidence.key == "noise"
    assert dict(found.evidence.args)["text"] == "KeyError: 'alice'"


@pytest.mark.parametrize("usual", [BEFORE, TALK - 1, IDLE - 1, IDLE], ids=["before", "talk", "idle", "at-its-end"])
def test_what_a_service_also_logs_before_or_while_nobody_dies_is_no_noise(usual: float) -> None:
    assert said(story(line(DURING), line(DURING + 1), line(usual))).outcome is Outcome.HELD


@pytest.mark.parametrize(
    "usual", [STORY, STORY + 1, WAVE - 1, WAVE], ids=["end-of-story", "first", "in-a-wave", "wave"]
)
def test_what_is_logged_again_when_somebody_dies_again_is_noise(usual: float) -> None:
    assert said(story(line(DURING), line(DURING + 1), line(usual))).outcome is Outcome.VIOLATED


def test_what_is_logged_for_one_of_those_who_ended_is_noise_though_it_is_logged_of_others_too() -> None:
    run = story(line(DURING, who="alice-1"), line(DURING, who="alice-2"), line(BEFORE, who="bob"))
    found = said(run)
    assert (found.outcome, found.who) == (Outcome.VIOLATED, "alice-1")


def test_what_is_logged_for_somebody_else_counts_as_anybodys() -> None:
    assert said(story(line(DURING, who="bob"), line(DURING, who="bob"), line(IDLE - 1))).outcome is Outcome.HELD
    assert said(story(line(DURING, who="bob"), line(DURING, who="bob"))).outcome is Outcome.VIOLATED


def test_of_three_who_end_one_line_alone_proves_nothing() -> None:
    assert said(story(line(DURING))).outcome is Outcome.HELD


def test_before_the_end_nothing_is_noise() -> None:
    assert noises(story(line(BEFORE), line(BEFORE + 1), line(END - 0.5)), PEOPLE) == []


def test_what_comes_only_in_the_experiment_is_none_of_the_story() -> None:
    assert noises(story(line(WAVE - 1), line(WAVE - 2), line(WAVE + 1)), PEOPLE) == []


@pytest.mark.parametrize(
    ("usual", "alike"),
    [
        ({"error": "KeyError: 'alice'"}, True),
        ({"text": "something else"}, True),
        ({"error": "ValueError"}, False),
        ({"logger": "other"}, False),
        ({"place": "rooms.py:32"}, False),
    ],
    ids=["the-same", "another-text", "another-error", "another-logger", "another-line"],
)
def test_lines_are_alike_by_logger_place_and_error(usual: dict[str, str], alike: bool) -> None:
    run = story(line(DURING), line(DURING + 1), line(IDLE - 1, **usual))
    assert (noises(run, PEOPLE) == []) is alike


def test_numbers_do_not_tell_two_lines_apart() -> None:
    run = story(line(DURING, "job 17 failed"), line(DURING + 1, "job 18 failed"), line(IDLE - 1, "job 4 failed"))
    assert noises(run, PEOPLE) == []


def test_a_line_that_is_no_error_is_no_noise() -> None:
    assert said(story(line(DURING, ""), line(DURING + 1, ""))).outcome is Outcome.HELD


def test_what_escapes_the_handlers_is_named() -> None:
    found = said(story(returned=escaped("KeyError", "KeyError", "KeyError")))
    assert (found.outcome, found.evidence.key, found.who) == (Outcome.VIOLATED, "escaped", "alice-1")
    assert dict(found.evidence.args)["error"] == "KeyError"


@pytest.mark.parametrize("goodbye", ["", "CancelledError", "ClientDisconnected", "GeneratorExit"])
def test_an_ordinary_way_for_a_handler_to_end_is_no_noise(goodbye: str) -> None:
    assert said(story(returned=escaped(goodbye, goodbye, goodbye))).outcome is Outcome.HELD


def test_of_three_handlers_one_that_raises_proves_nothing() -> None:
    assert said(story(returned=escaped("KeyError", "", ""))).outcome is Outcome.HELD


def test_where_nobody_looks_inside_nothing_is_said() -> None:
    assert list(Quiet("alice-*").check(Timeline(HEADER, [line(DURING), line(DURING)], sealed=True))) == []
