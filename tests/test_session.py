"""A session: the scenarios of one command, in order, those beside others that mostly wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import session
from lab.backends.actors import StageError
from lab.backends.stage import Backend, Cast, Stage
from lab.reports import Played
from lab.scenario import Scenario, names
from lab.session import Session, mostly_waits
from lab.timeline import CutShort, Timeline
from lab.verdict import Verdict

PATIENCE = 20.0


class Nothing:
    """A backend that sets no stage."""

    name = "embedded"

    def __init__(self, *, side_by_side: bool) -> None:
        self.side_by_side = side_by_side

    def open(self) -> None:
        """Nothing to do."""

    @contextmanager
    def stage(self, cast: Cast, timeline: Timeline) -> Iterator[Stage]:
        """Never."""
        raise AssertionError((cast, timeline))
        yield

    def close(self) -> None:
        """Nothing to do."""


def of(backend: Backend, folder: Path) -> Session:
    """A session on that backend."""
    return Session(backend, "reference", "rfc6455", folder)


def test_those_that_wait_for_pings_or_leases_mostly_wait() -> None:
    waiting = {name for name in names() if mostly_waits(name)}
    assert {"pause", "unplug", "server-kill"} <= waiting
    assert waiting.isdisjoint({"kill", "close", "crowd", "bug", "garbage", "reset", "stall", "nap"})


@pytest.mark.parametrize("side_by_side", [True, False])
def test_they_are_given_in_their_order_however_they_are_played(
    side_by_side: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "run", lambda _scenario, _backend, timeline, *_: verdict(timeline))
    order = ("stall", "kill", "pause", "close")
    played = list(of(Nothing(side_by_side=side_by_side), tmp_path).play_all(order))
    assert tuple(one.name for one in played) == order
    assert all((tmp_path / f"{name}.jsonl").exists() for name in order)


def test_one_that_waits_is_played_beside_one_that_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2)

    def run(_scenario: Scenario, _backend: Backend, timeline: Timeline, *_: object) -> Verdict:
        together.wait(PATIENCE)  # breaks unless another comes meanwhile
        return verdict(timeline)

    monkeypatch.setattr(session, "run", run)
    assert len(list(of(Nothing(side_by_side=True), tmp_path).play_all(("pause", "kill")))) == 2


def test_one_that_must_mend_in_time_has_the_machine_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    playing: list[str] = []
    beside: dict[str, int] = {}

    def run(_scenario: Scenario, _backend: Backend, timeline: Timeline, *_: object) -> Verdict:
        name = timeline.header.scenario
        playing.append(name)
        beside[name] = len(playing)
        playing.remove(name)
        return verdict(timeline)

    monkeypatch.setattr(session, "run", run)
    order = ("nap", "pause", "kill", "stall", "unplug")
    played = of(Nothing(side_by_side=True), tmp_path).play_all(order)
    assert next(played).name == "nap"
    assert beside.keys() == {"pause", "kill", "unplug", "nap"}  # all but the other of its kind are over
    assert [one.name for one in played] == list(order[1:])
    assert beside["nap"] == beside["stall"] == 1


def test_where_stages_cannot_be_set_side_by_side_all_is_played_in_this_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()

    def run(_scenario: Scenario, _backend: Backend, timeline: Timeline, *_: object) -> Verdict:
        threads.add(threading.current_thread())
        return verdict(timeline)

    monkeypatch.setattr(session, "run", run)
    list(of(Nothing(side_by_side=False), tmp_path).play_all(("pause", "kill", "stall")))
    assert threads == {threading.current_thread()}


def test_if_one_falls_apart_the_others_are_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, cut = threading.Event(), threading.Event()

    def run(scenario: Scenario, _backend: Backend, timeline: Timeline, *_: object) -> Verdict:
        if not scenario.silent:
            assert waits.wait(PATIENCE)
            raise StageError("it fell apart")
        waits.set()
        try:
            timeline.wait_for(lambda _: False, PATIENCE)
        except CutShort:
            cut.set()
            raise
        return verdict(timeline)

    monkeypatch.setattr(session, "run", run)
    with pytest.raises(StageError, match="it fell apart"):
        list(of(Nothing(side_by_side=True), tmp_path).play_all(("pause", "kill")))
    assert cut.is_set()


def verdict(timeline: Timeline) -> Verdict:
    """None worth having."""
    return Verdict(timeline.header.scenario, ())


def test_a_played_scenario_says_where_its_timeline_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "run", lambda _scenario, _backend, timeline, *_: verdict(timeline))
    (played,) = of(Nothing(side_by_side=True), tmp_path).play_all(("kill",))
    assert isinstance(played, Played)
    assert played.path.endswith("kill.jsonl")
