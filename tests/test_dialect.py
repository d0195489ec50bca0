"""How a server speaks: a scenario is played on any, and what one never had or answered is no evidence against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.backends.actors import StageError
from lab.backends.embedded import Embedded, Served
from lab.backends.processes import Processes
from lab.dialect import KINDS, Dialect
from lab.learning import learn
from lab.servers import REFERENCE
from lab.session import Session
from lab.timeline import Header, Timeline
from lab.verdict import Outcome
from tests.playing import report

PLAYED = ("kill", "close", "bug", "garbage", "server-stop")


def session(app: str, folder: Path, processes: Processes) -> Session:
    """One command's scenarios, on a server that is named by its module."""
    return Session(Embedded(Served(app), processes), app, "rfc6455", folder)


@pytest.mark.parametrize("server", ["player_without_socket", "exit_stack"])
def test_a_correct_server_that_speaks_otherwise_is_never_accused_by_a_scenario(
    server: str, tmp_path: Path, processes: Processes
) -> None:
    one = session(f"lab.servers.correct.{server}:app", tmp_path, processes)
    for played in one.play_all(PLAYED):
        assert played.verdict.outcome is Outcome.UNKNOWN, report(played)
        assert "violated" not in {found.outcome.word for found in played.verdict.findings}, report(played)
    assert one.speaks_otherwise


def test_one_that_speaks_as_the_reference_does_is_played_as_the_reference_is(
    tmp_path: Path, processes: Processes
) -> None:
    one = session(REFERENCE, tmp_path, processes)
    (played,) = one.play_all(["kill"])
    assert played.verdict.outcome is Outcome.HELD, report(played)
    assert not one.speaks_otherwise


def test_one_that_leaves_something_behind_is_accused_of_it_in_whatever_way_it_speaks(
    tmp_path: Path, processes: Processes
) -> None:
    (played,) = session("lab.servers.broken.socket_of_a_user:app", tmp_path, processes).play_all(["kill"])
    found = {(one.claim, one.kind) for one in played.verdict.findings if one.outcome is Outcome.VIOLATED}
    assert found == {("no-orphan", "connection")}, report(played)


def test_one_that_lets_nobody_in_is_refused_in_a_line_that_names_the_command_that_finds_the_way(
    processes: Processes,
) -> None:
    app = "lab.servers.correct.app_factory:nobody"
    with pytest.raises(StageError):
        learn(Embedded(Served(app), processes), Header("learning", app, "embedded", "rfc6455"))


def test_a_dialect_is_the_first_observation_of_a_timeline_and_read_from_it_again() -> None:
    header = Header("kill", "x:app", "embedded", "rfc6455")
    told = Dialect(frozenset({"handler"}), echoes=True, broadcasts=False)
    stored = Timeline.from_jsonl(Timeline(header, [told.observe(0.0)], sealed=True).to_jsonl())
    assert (Dialect.of(stored), told.foreign) == (told, True)
    assert Dialect.of(Timeline(header)) == Dialect(frozenset(KINDS))
