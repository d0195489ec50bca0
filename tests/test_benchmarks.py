"""Benchmarks: what is stored is read again, two are compared, the README shows the last; what can be counted is."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import compare, readme
from benchmarks.figures import Figure, Machine, Stored, read, report, store
from lab.backends.embedded import Embedded
from lab.backends.processes import open_processes
from lab.backends.stage import Cast
from lab.timeline import Header, Timeline
from lab.verdict import Outcome
from tests.playing import play
from tests.playing import report as told

MACHINE = Machine(2, "Linux 6.18 x86_64", "3.13.0", {"fastapi": "0.165.0"}, 0.5)
BY_HAND = Figure("by_hand", "by hand: kill, poll", "s", (0.5, 0.4, 0.8))
OURS = Figure("kill", "one kill", "s", (0.1, 0.2, 0.3), "by_hand", 0.5)


def stored(folder: Path, *figures: Figure) -> Stored:
    """Those figures, stored and read again."""
    path = folder / "figures.json"
    store(path, report(figures, MACHINE))
    return read(path)


def test_a_figure_is_stored_with_its_spread_and_its_ratio(tmp_path: Path) -> None:
    found = stored(tmp_path, BY_HAND, OURS)
    row = found.rows["kill"]
    assert (row.low, row.median, row.high, row.count) == (0.1, 0.2, 0.3, 3)
    assert (row.against, row.ratio, row.must) == ("by_hand", 0.4, 0.5)
    assert found.rows["by_hand"].ratio is None
    assert found.machine == MACHINE
    assert found.at


def test_a_figure_whose_other_was_not_measured_has_no_ratio(tmp_path: Path) -> None:
    assert stored(tmp_path, OURS).rows["kill"].ratio is None


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": 0}'])
def test_something_else_is_not_read_as_figures(text: str, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="holds no figures"):
        read(path)


def test_two_are_compared_and_what_may_be_chance_is_not_called_a_change(tmp_path: Path) -> None:
    before = stored(tmp_path, BY_HAND, OURS)
    faster = stored(tmp_path, BY_HAND, replace(OURS, values=(0.04, 0.05, 0.06)))
    _, by_hand, kill = compare.lines(before, faster)
    assert "≈" in by_hand
    assert "0.25×" in kill
    assert kill.endswith("ratio 0.40 → 0.10, must be at most 0.5")
    assert not any("different machines" in line for line in compare.lines(before, faster))


def test_what_only_one_of_them_has_is_shown_too(tmp_path: Path) -> None:
    before, after = stored(tmp_path, BY_HAND), stored(tmp_path, OURS)
    _, by_hand, kill = compare.lines(before, after)
    assert by_hand.split()[-3:-1] == ["0.500", "-"]
    assert "-" in kill


def test_two_machines_are_told_apart(tmp_path: Path) -> None:
    before = stored(tmp_path, OURS)
    after = replace(before, machine=replace(MACHINE, cores=64))
    assert "different machines" in "\n".join(compare.lines(before, after))
    busier = replace(before, machine=replace(MACHINE, load=9.0))
    assert "different machines" not in "\n".join(compare.lines(before, busier))


def test_the_readme_shows_what_was_stored_last() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.replaced(text, read(readme.LAST)) == text


def test_the_table_names_the_machine_the_ratio_and_what_it_is_compared_with(tmp_path: Path) -> None:
    text = readme.section(stored(tmp_path, BY_HAND, OURS))
    assert "2 cores, Linux 6.18 x86_64" in text
    assert "| one kill | 0.2 s (0.1 to 0.3) | 0.5 s (0.4 to 0.8): kill, poll | 0.40 × |" in text


def test_a_readme_without_a_place_for_the_table_is_left_alone() -> None:
    with pytest.raises(ValueError, match="begin"):
        readme.replaced("# Hangup", read(readme.LAST))


def test_what_is_stored_last_was_measured_of_all_that_has_a_bound() -> None:
    data = json.loads(readme.LAST.read_text(encoding="utf-8"))
    bounds = {name for name, one in data["figures"].items() if one["must"] is not None}
    assert bounds == {"kill", "run_kill", "all", "docker_run_kill", "docker_kill"}
    assert all(data["figures"][name]["ratio"] is not None for name in bounds)


# What can be counted is counted, and not timed.


def test_a_kill_takes_few_surveys() -> None:
    backend = Embedded()
    backend.open()
    try:
        played = play("kill", backend)
    finally:
        backend.close()
    assert played.verdict.outcome is Outcome.HELD, told(played)
    # One before the fault, or a few until the row is written; one after it, and one when bob has spoken.
    surveys = [seen.at for seen in played.timeline.select("counted")]
    (fault,) = played.timeline.select("injected")
    assert len([at for at in surveys if at > fault.at]) == 2, told(played)


def test_all_actors_of_a_lab_are_heard_by_one_thread() -> None:
    before = set(threading.enumerate())
    processes = open_processes()
    backend = Embedded(processes=processes)
    backend.open()
    timeline = Timeline(Header("kill", "reference", "embedded", "rfc6455"))
    try:
        with backend.stage(Cast(("alice", "bob", "carol"), frozenset()), timeline):
            names = sorted(thread.name for thread in set(threading.enumerate()) - before)
    finally:
        backend.close()
    assert names == ["actors", "links"]
    assert not {thread.name for thread in set(threading.enumerate()) - before} & {"actors", "links"}
