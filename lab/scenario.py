"""A scenario is a value: a story to play, and the claims to check after it."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from lab.faults import SERVER, Fault, Idle, Reset
from lab.invariants import Invariant, NoticedWithin
from lab.scenario_rules import problem
from lab.steps import Connect, Leave, Send, Step, actor_of


class NoSuchScenario(LookupError):
    """There is no scenario of that name.

    Attributes:
        name: what was asked for.
        near: the nearest name there is, or "".
    """

    def __init__(self, name: str, near: str) -> None:
        super().__init__(name)
        self.name, self.near = name, near


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story and its claims.

    Attributes:
        title: one line.
        given: the steps that set the scene, before anything goes wrong.
        when: the steps and faults of the story.
        within: seconds the server gets, after the last step, to make every claim true.
        then: the claims.
        hint: how to think about it when a claim is violated. It points at the lesson, not at the answer.
    """

    title: str
    given: tuple[Step, ...]
    when: tuple[Step, ...]
    within: float
    then: tuple[Invariant, ...]
    hint: str

    @property
    def steps(self) -> tuple[Step, ...]:
        """The whole story."""
        return self.given + self.when

    @property
    def clients(self) -> tuple[str, ...]:
        """The client actors, in order of appearance."""
        return tuple(dict.fromkeys(actor_of(step.who) for step in self.steps if isinstance(step, Connect)))

    @property
    def people(self) -> frozenset[str]:
        """Every connection that is opened, by its name."""
        return frozenset(name for step in self.steps if isinstance(step, Connect) for name in step.connections)

    @property
    def armed(self) -> frozenset[str]:
        """The clients whose link is to be reset, now or when it has forgotten them."""
        return frozenset(step.who for step in self.steps if isinstance(step, Reset | Idle))

    @property
    def silent(self) -> bool:
        """Whether a client falls silent in it, so that only pings can find her end."""
        return any(isinstance(step, Fault) and step.silent and step.who != SERVER for step in self.when)

    @property
    def subject(self) -> str:
        """The connection the story is about: the first that leaves, sends nonsense or is faulted."""
        connections = [name for step in self.steps if isinstance(step, Connect) for name in step.connections]
        for step in self.when:
            if isinstance(step, Leave | Send):
                return step.who
            if isinstance(step, Fault):
                return next((name for name in connections if step.who in (SERVER, actor_of(name))), "")
        return ""

    @property
    def bound_ms(self) -> float | None:
        """The bound of the claim that the end is noticed in time, if it makes that claim."""
        return next((claim.seconds * 1000 for claim in self.then if isinstance(claim, NoticedWithin)), None)


def folder() -> Path:
    """Where scenarios live: LAB_SCENARIOS, else the folder beside the package."""
    return Path(os.environ.get("LAB_SCENARIOS") or Path(__file__).resolve().parent.parent / "scenarios")


def names() -> tuple[str, ...]:
    """Every file in the folder is one scenario; its name is the file's, with dashes."""
    return tuple(sorted(path.stem.replace("_", "-") for path in folder().glob("[a-z]*.py")))


def path_of(name: str) -> Path:
    """The file of a scenario.

    Raises:
        NoSuchScenario: there is none.
    """
    if name not in names():
        raise NoSuchScenario(name, next(iter(get_close_matches(name, names(), 1)), ""))
    return folder() / f"{name.replace('-', '_')}.py"


def load(name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        NoSuchScenario: there is none.
        TypeError: its file defines no `scenario`, or one that cannot be played.
    """
    path = path_of(name)
    file = path.stat()
    return _load(path, file.st_mtime_ns, file.st_size)


@lru_cache
def _load(path: Path, _written: int, _size: int) -> Scenario:
    """Run a file once, as long as it stays as it is."""
    module_name = f"scenarios.{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    found = getattr(module, "scenario", None)
    if not isinstance(found, Scenario):
        raise TypeError(f"{path.name} defines no `scenario = Scenario(...)`")
    if wrong := problem(found):
        raise TypeError(wrong)
    return found


def title_of(name: str) -> str:
    """Its title, read without running the file; if the file computes it, the first line of its docstring.

    Raises:
        NoSuchScenario: there is none.
        SyntaxError, ValueError: it is no Python.
    """
    tree = ast.parse(path_of(name).read_bytes())
    values = [node.value for node in tree.body if isinstance(node, ast.Assign) and _is_the_scenario(node)]
    calls = [value for value in values if isinstance(value, ast.Call)]
    titles = [one.value for call in calls for one in call.keywords if one.arg == "title"]
    titles += [call.args[0] for call in calls if call.args]
    first = (ast.get_docstring(tree) or "").partition("\n")[0]
    return next((str(title.value) for title in titles if isinstance(title, ast.Constant)), first)


def _is_the_scenario(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "scenario" for target in node.targets)


def story(name: str) -> str:
    """The story at the top of a scenario's file: its docstring."""
    return (ast.get_docstring(ast.parse(path_of(name).read_bytes()), clean=False) or "").strip()
