"""The layers: who may import whom, how long a file may be, and what a scenario and a broken server must have."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import lab
from lab.invariants import StillServed
from lab.scenario import folder, load, names, path_of, story
from lab.servers import application, broken_servers
from lab.steps import Connect

ROOT = Path(lab.__file__).parent
REPOSITORY = ROOT.parent

VALUES = ("clock", "faults", "observation", "steps", "timeline", "verdict", "waiting")
PURE = (
    "answers",
    "attest",
    "dialect",
    "evidence",
    "growth",
    "invariants",
    "judge",
    "manners",
    "phases",
    "rejection",
    "scenario",
)
IN_THE_IMAGE = ("actors", "servers", "witness")
NOT_IN_THE_IMAGE = {"click", "docker", "junitparser", "psutil", "requests", "rich", "toxiproxy"}

COMMANDS = {"checking", "cli", "console", "exercise", "housekeeping", "pytest_plugin"}
JUDGING = {"invariants", "judge", "reports", "scenario", "words"}
PLAYING = {"nemesis", "runner", "session"}
FORBIDDEN: dict[str, set[str]] = {
    **{part: {"actors", "backends", "reports", "servers", "witness", "words"} | PLAYING for part in PURE},
    "reports": {"actors", "backends", "servers", "witness"} | PLAYING,
    "words": {"actors", "backends", "reports", "servers", "witness"} | PLAYING,
    "backends": JUDGING | PLAYING,
    "actors": {"backends"} | JUDGING | PLAYING,
    "witness": {"backends", "servers"} | JUDGING | PLAYING,
    "servers": {"actors", "backends", "witness"} | JUDGING | PLAYING,
    "nemesis": {"actors", "runner", "servers", "session", "witness"} | JUDGING,
    "runner": {"actors", "reports", "servers", "session", "witness", "words"},
    "session": {"actors", "servers", "witness", "words"},
    "check": {"actors", "exercises", "session", "witness", "words"},
    "exercises": {"actors", "servers", "witness"} | PLAYING,
}
"""What a part of lab must not know of; and none of them knows COMMANDS."""


@cache
def modules() -> dict[str, Path]:
    """Every module of lab, by its full name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def part_of(module: str) -> str:
    """The part of lab that a module is, or belongs to: `reports` for `lab.reports.data`."""
    return module.split(".")[1] if module.startswith("lab.") else ""


def statements(tree: ast.AST, *, everywhere: bool) -> Iterator[ast.stmt]:
    """All statements; else only those that run when the module is imported."""
    for node in ast.iter_child_nodes(tree):
        checking = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.stmt):
            yield node
        if everywhere or not (checking or inside):
            yield from statements(node, everywhere=everywhere)


@cache
def imports(module: str, *, everywhere: bool = True) -> frozenset[str]:
    """The modules that a module imports, by full name; of those outside lab the top-level name."""
    found: set[str] = set()
    for node in statements(ast.parse(modules()[module].read_text(encoding="utf-8")), everywhere=everywhere):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            assert node.module
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    ours = {name for name in found if name in modules()}
    return frozenset(ours | {name.partition(".")[0] for name in found if name.partition(".")[0] != "lab"})


def reached(module: str) -> frozenset[str]:
    """Everything that gets imported when that module is, packages on the way included."""
    seen: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in modules():
            todo += imports(name, everywhere=False)
            todo += [name.rpartition(".")[0]] if "." in name else []
    return frozenset(seen)


def test_the_imports_that_are_read_here_are_the_true_ones() -> None:
    assert {"lab.clock", "json", "lab.waiting"} <= imports("lab.timeline")
    assert "lab.evidence" in imports("lab.attest")  # by `from lab import evidence`
    assert "docker" in {name for module in modules() if part_of(module) == "backends" for name in reached(module)}


@pytest.mark.parametrize("value", VALUES)
def test_values_import_no_machinery(value: str) -> None:
    outside = {name for name in imports(f"lab.{value}") if not name.startswith("lab.")}
    assert {part_of(name) for name in imports(f"lab.{value}") if name not in outside} <= set(VALUES)
    assert outside <= {*sys.stdlib_module_names}


@pytest.mark.parametrize("part", FORBIDDEN)
def test_no_arrow_goes_back(part: str) -> None:
    mine = [module for module in modules() if part_of(module) == part]
    assert mine, f"there is no lab.{part} any more"
    wrong = {
        f"{module} imports {name}"
        for module in mine
        for name in imports(module)
        if part_of(name) in FORBIDDEN[part] | COMMANDS
    }
    assert not wrong


def test_what_is_pure_needs_nothing_but_the_standard_library() -> None:
    mine = [module for module in modules() if part_of(module) in PURE]
    assert {
        name for module in mine for name in reached(module) if not name.startswith("lab")
    } <= sys.stdlib_module_names


@pytest.mark.parametrize("module", [module for module in modules() if part_of(module) in IN_THE_IMAGE])
def test_what_runs_in_the_image_imports_nothing_that_the_image_lacks(module: str) -> None:
    assert not imports(module) & NOT_IN_THE_IMAGE
    assert not reached(module) & NOT_IN_THE_IMAGE
    assert not [name for name in {*imports(module), *reached(module)} if part_of(name) == "backends"]


def test_only_docker_s_backend_knows_docker() -> None:
    knows = {part_of(module) for module in modules() if imports(module) & {"docker", "toxiproxy"}}
    assert knows <= {"backends"}


@pytest.mark.parametrize("module", modules())
def test_a_module_is_short_and_says_what_it_is(module: str) -> None:
    text = modules()[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("name", names())
def test_a_scenario_is_short_and_whole(name: str) -> None:
    scenario = load(name)
    text = path_of(name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert scenario.title.strip()
    assert not scenario.title.endswith(".")
    assert scenario.hint.strip()
    assert scenario.when
    assert scenario.within > 0
    assert scenario.subject
    assert story(name).lower().startswith(f"{name}: ")
    assert len(story(name).splitlines()) > 2


@pytest.mark.parametrize("name", names())
def test_a_scenario_has_a_bystander_who_is_still_served(name: str) -> None:
    scenario = load(name)
    connected = {who for step in scenario.steps if isinstance(step, Connect) for who in step.connections}
    served = {claim.who for claim in scenario.then if isinstance(claim, StillServed)}
    assert served - {scenario.subject}
    assert served <= connected


@pytest.mark.parametrize("name", names())
def test_a_scenario_claims_only_of_connections_it_makes(name: str) -> None:
    scenario = load(name)
    connected = {who for step in scenario.steps if isinstance(step, Connect) for who in step.connections}
    about = {who for claim in scenario.then if (who := getattr(claim, "who", "server")) != "server"}
    assert {who for who in about if "*" not in who} <= connected


def test_every_file_in_scenarios_is_one() -> None:
    files = {path.stem for path in folder().iterdir() if path.suffix == ".py" and path.stem != "__init__"}
    assert {name.replace("-", "_") for name in names()} == files


@pytest.mark.parametrize("server", broken_servers())
def test_a_broken_server_is_short_and_names_who_catches_it(server: str) -> None:
    module = importlib.import_module(application(server).partition(":")[0])
    assert module.__file__
    text = Path(module.__file__).read_text(encoding="utf-8")
    caught_by = _caught_by(server)
    assert len(text.splitlines()) <= (40 if caught_by else 60)
    assert module.__doc__
    assert "BUG" in text, "it should say where its bug is"
    assert caught_by or module.findings
    assert set(caught_by) <= set(names())
    assert len(set(caught_by)) == len(caught_by)


def test_every_scenario_that_can_catch_a_broken_server_has_one_to_catch() -> None:
    caught = {name for server in broken_servers() for name in _caught_by(server)}
    assert set(names()) - caught <= {"nap"}  # which catches a server that gives up too early: none is on show


def _caught_by(server: str) -> tuple[str, ...]:
    named: tuple[str, ...] = getattr(importlib.import_module(application(server).partition(":")[0]), "caught_by", ())
    return named
