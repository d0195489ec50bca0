"""What a check costs, by count: how often a server is surveyed, counted and moved in a case that leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import growth
from lab.backends.processes import Processes
from lab.check import Subject
from lab.check.grading import Grader
from lab.faults import SERVER
from lab.phases import FIRST, PHASED, STORY
from lab.timeline import Timeline
from lab.verdict import Outcome

LAB = Path(growth.__file__).parent


@pytest.fixture(scope="module")
def stored(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    """The history of one `close` on a correct echo server, as it was stored."""
    home = tmp_path_factory.mktemp("cost")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_HOME", str(home))
        with Grader(Subject(app=str(LAB / "servers/correct/echo.py")), processes) as grader:
            (played,) = grader.grade(["close"]).played
    assert {one.outcome for one in played.verdict.findings} == {Outcome.HELD}
    return Timeline.from_jsonl(played.timeline.to_jsonl())


def count(run: Timeline, what: str) -> int:
    """How often it was seen."""
    return sum(1 for _ in run.select(what))


def test_it_ends_with_its_first_wave(stored: Timeline) -> None:
    assert [seen.text("phase") for seen in stored.select(PHASED)] == [STORY, FIRST]


def test_a_server_that_leaves_nothing_is_surveyed_before_and_after_and_no_more(stored: Timeline) -> None:
    assert count(stored, "surveyed") == 2


def test_what_is_held_is_counted_with_each_survey_and_at_each_of_two_quiet_moments(stored: Timeline) -> None:
    assert count(stored, "settled") == 2
    assert count(stored, "counted") <= 4


def test_it_is_asked_to_rest_at_quiet_moments_and_else_only_for_an_answer_that_is_late(stored: Timeline) -> None:
    said = sum(seen.text("do") in ("say", "ask") for seen in stored.select("ordered"))
    assert count(stored, "settled") < sum(1 for _ in stored.select("rested", source=SERVER)) <= 5 + said


def test_its_clock_is_not_moved(stored: Timeline) -> None:
    assert {seen.number("ms") for seen in stored.select("moved")} == {0.0}
    assert {seen.number("steps") for seen in stored.select("rested", source=SERVER)} == {0.0}
