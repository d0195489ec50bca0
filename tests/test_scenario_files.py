"""A scenario's file is somebody's own: one line says what is wrong with it, and the others are listed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.faults import SERVER, Heal, Kill
from lab.scenario import Scenario, load, names
from lab.scenario_rules import problem
from lab.steps import Broadcast, Connect, Leave, Rest, Say, Send, Step
from tests.leftovers import MARK, processes_of

GOOD = """'''Good: nothing happens.'''
from lab import *
scenario = Scenario("good", (Connect("alice"),), (), 1.0, (), "")
"""
FILES = {
    "computed": GOOD.replace("Good: nothing happens.", "Computed: its title is no text in the file.").replace(
        '"good"', '"go" + "od"'
    ),
    "ends": "import os; os._exit(0)",
    "exits": "raise SystemExit(0)",
    "good": GOOD,
    "half": GOOD.replace("(Connect", "(5, Connect"),
    "loops": '"""Loops: it never ends."""\nwhile True: pass',
    "none": '"""None: no scenario."""',
    "raises": '"""Raises: at once."""\n1 / 0',
    "syntax": "def (",
    "talks": '"""Talks: it prints."""\nprint("x" * 9_000)\n' + GOOD,
}
WRONG = {
    "ends": "it ends the process that loads it (exit code 0)",
    "exits": "SystemExit: 0",
    "half": "TypeError: 5 in its given is no step",
    "loops": "it is not loaded after 5 s",
    "none": "TypeError: none.py defines no `scenario = Scenario(...)`",
    "raises": "ZeroDivisionError: division by zero",
    "syntax": "SyntaxError: invalid syntax (syntax.py, line 1)",
}

STORY = Scenario("story", (Connect("alice"), Connect("bob")), (Say("alice"), Kill("alice")), 1.0, (), "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of scenarios, few of which are any."""
    made = tmp_path_factory.mktemp("scenarios")
    for name, text in FILES.items():
        (made / f"{name}.py").write_text(text)
    return made


def lab(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """A command, with those scenarios."""
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parent.parent), "LAB_SCENARIOS": str(folder)}
    env |= {
        MARK: str(folder),
        "LAB_HOME": str(folder / "home"),
        "LAB_BACKEND": "embedded",
        "LAB_LANG": "en",
        "PYTHONUTF8": "1",
    }
    command = [sys.executable, "-m", "lab", *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("command", ["run", "explain"])
def test_a_file_that_is_no_scenario_is_refused_in_one_line_that_names_it(name: str, command: str, folder: Path) -> None:
    ended = lab(folder, command, name)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"lab: scenario {name!r} cannot be loaded: {WRONG[name]}\n"
    assert processes_of(str(folder)) == []


def test_all_are_listed_and_none_is_run_for_it(folder: Path) -> None:
    ended = lab(folder, "list", "--json")
    assert ended.returncode == 0, ended.stderr
    titles = {row["name"]: row["title"] for row in json.loads(ended.stdout)}
    assert titles.keys() == FILES.keys()
    assert (titles["good"], titles["talks"]) == ("good", "good")
    assert titles["computed"] == "Computed: its title is no text in the file."
    assert titles["loops"] == "Loops: it never ends."
    assert titles["syntax"].startswith("scenario 'syntax' cannot be loaded: SyntaxError: ")


def test_what_a_file_prints_is_printed_once(folder: Path) -> None:
    assert lab(folder, "explain", "talks").stdout.count("x" * 9_000) == 1


@pytest.mark.parametrize("name", names())
def test_every_scenario_of_ours_keeps_the_rules(name: str) -> None:
    assert problem(load(name)) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"title": 5}, "its title is no text"),
        ({"hint": None}, "its hint is no text"),
        ({"within": "a"}, "within='a' is no number of seconds"),
        ({"within": True}, "within=True is no number of seconds"),
        ({"within": float("nan")}, "within=nan is no number of seconds"),
        ({"within": 0}, "within=0 is no number of seconds"),
        ({"given": Connect("alice")}, "its given is no tuple; one step is written (step,)"),
        ({"when": (5,)}, "5 in its when is no step or fault"),
        ({"then": ("held",)}, "its then is no tuple of claims"),
    ],
    ids=str,
)
def test_a_scenario_of_wrong_parts_is_none(changed: dict[str, Any], said: str) -> None:
    assert problem(replace(STORY, **changed)) == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Leave("alice", 1006), "1006 may not stand in a Close frame; Kill or Cut ends without one"),
        (Leave("alice", 1005), "1005 may not stand in a Close frame; Kill or Cut ends without one"),
        (Leave("alice", 5000), "5000 may not stand in a Close frame; Kill or Cut ends without one"),
        (Leave("alice", 1000, "가" * 42), "a reason has at most 123 bytes"),
        (Leave("alice", "1000"), "code='1000' should be int"),  # type: ignore[arg-type]  # that is what is tested
        (Send("alice", 5), "payload=5 should be str | bytes"),  # type: ignore[arg-type]  # here too
        (Broadcast("alice", b"hello"), "text=b'hello' should be str"),  # type: ignore[arg-type]  # and here
        (Rest("alice", -1.0), "-1.0 is no number of seconds"),
        (Connect("carol", times=0), "the lab carries 1 to 1000 connections at once"),
        (Connect("carol", times=1001), "the lab carries 1 to 1000 connections at once"),
        (Connect("Carol Smith"), "'Carol Smith' is no name; write alice, alice#2 or carol-17"),
        (Say("carol"), "'carol' has not connected"),
        (Kill("carol"), "'carol' has not connected"),
        (Heal("alice#2"), "'alice#2' has not connected"),
    ],
    ids=str,
)
def test_a_step_that_nobody_can_take_is_named_before_anything_is_played(step: Step, said: str) -> None:
    assert problem(replace(STORY, when=(step,))) == f"{step!r}: {said}"


@pytest.mark.parametrize(
    "step",
    [Leave("alice", 1014), Leave("alice", 3000), Leave("alice", 4999, "가" * 41), Kill(SERVER), Rest("alice", 0.0)],
    ids=str,
)
def test_a_step_that_somebody_can_take_is_taken(step: Step) -> None:
    assert problem(replace(STORY, when=(step,))) == ""


def test_more_connections_than_the_lab_carries_are_counted_over_all_steps() -> None:
    many = replace(STORY, given=(*STORY.given, Connect("carol", times=600), Connect("dave", times=600)))
    assert problem(many) == "it opens 1202 connections; the lab carries 1000"
