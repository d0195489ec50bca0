"""How late the machine wakes the lab is measured while a scenario is played, and stands in its timeline."""

from __future__ import annotations

import threading

import pytest

from lab import evidence, lateness
from lab.backends.embedded import Embedded
from lab.backends.processes import Processes
from lab.lateness import Lateness
from lab.timeline import Header, Timeline
from tests.playing import play


def test_the_worst_of_what_was_measured_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    hours, seen = iter((0.0, 0.021, 0.021, 0.341, 0.341, *(0.362,) * 1000)), threading.Event()

    def read() -> float:
        hour = next(hours)
        if hour == 0.362:
            seen.set()  # what was measured before is known by now
        return hour

    monkeypatch.setattr(lateness, "now", read)
    with Lateness() as probe:
        assert seen.wait(10)
    timeline = Timeline(Header("kill", "reference", "embedded", "rfc6455"))
    probe.observe(timeline)
    assert evidence.woken_late_ms(timeline) == 300.0
    assert not evidence.could_be_met(timeline, 1500.0)
    assert evidence.could_be_met(timeline, 1501.0)


def test_a_timeline_without_it_says_nothing_against_any_bound() -> None:
    assert evidence.could_be_met(Timeline(Header("kill", "reference", "embedded", "rfc6455")), 1.0)


def test_every_played_scenario_has_it(processes: Processes) -> None:
    played = play("kill", Embedded(processes=processes))
    assert played.timeline.last("woken", source="lab") is not None
