"""The grader of any server is graded: each broken one gets exactly its findings, no correct one gets any."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

import lab
from lab.backends.processes import Processes
from lab.check import Subject
from lab.check.cases import cases
from lab.check.grading import Grader
from lab.reports import Report
from lab.reports.grade import render
from lab.servers import broken_servers
from lab.verdict import Outcome
from lab.words import Words

CORRECT = tuple(sorted(path.stem for path in (Path(lab.__file__).parent / "servers" / "correct").glob("[a-z]*.py")))
BROKEN = tuple(name.removeprefix("broken/") for name in broken_servers())
ALONE = tuple(
    name for name in BROKEN if not hasattr(importlib.import_module(f"lab.servers.broken.{name}"), "caught_by")
)
"""Those that are not built on the reference: what these do to it, the scenarios find (tests/test_broken.py)."""

FACTORIES = {"app_factory": "create_app"}
ENDS = frozenset(cases()) - {"stop"}
"""What `*` stands for: every case in which a client ends and the server does not."""

FEW = ("close", "kill", "pause", "rejoin", "garbage", "crowd", "stop")
"""The cases in which broken servers are graded, unless LAB_GALLERY=whole asks for all: that takes fifteen minutes."""

Findings = Mapping[str, frozenset[str]]


@cache
def declared(kind: str, name: str, what: str = "findings") -> Findings:
    """The findings that a server says it must (or may) get: a claim, and its kind, with the cases that show it."""
    module = importlib.import_module(f"lab.servers.{kind}.{name}")
    found: dict[str, str] = getattr(module, what, {})
    return {claim: frozenset(_cases(said)) for claim, said in found.items()}


def _some(found: Findings) -> Findings:
    return {claim: names for claim, names in found.items() if names}


def _cases(said: str) -> set[str]:
    named = set(said.split())
    return (named - {"*"}) | ENDS if "*" in named else named


def violations(report: Report) -> Findings:
    """The findings that it got."""
    found: dict[str, set[str]] = {}
    for played in report.played:
        for one in played.verdict.findings:
            if one.outcome is Outcome.VIOLATED:
                found.setdefault(" ".join(filter(None, (one.claim, one.kind))), set()).add(played.name)
    return {claim: frozenset(names) for claim, names in found.items()}


def graded(kind: str, name: str, processes: Processes) -> Report:
    """A server of the gallery, graded: a correct one in every case, a broken one in a few."""
    few = FEW if kind == "broken" and os.environ.get("LAB_GALLERY") != "whole" else ()
    with Grader(Subject(app=f"lab.servers.{kind}.{name}:{FACTORIES.get(name, 'app')}"), processes) as grader:
        return grader.grade(few)


def got_exactly_its_findings(kind: str, name: str, report: Report) -> None:
    """Assert it; what it may get it may get, and nothing was in doubt."""
    played = {one.name for one in report.played}
    expected = {claim: found & played for claim, found in declared(kind, name).items()}
    maybe = declared(kind, name, "sometimes")
    found = {claim: names - maybe.get(claim, frozenset()) for claim, names in violations(report).items()}
    assert _some(found) == _some(expected), said(report)
    assert not doubts(report), said(report)


def named_its_holder(name: str, report: Report) -> None:
    """Assert that whoever keeps the dead is called as the server calls it, key included; `*` is any index or key."""
    module = importlib.import_module(f"lab.servers.broken.{name}")
    pattern = re.escape(getattr(module, "holder", "")).replace(r"\*", r"(\*|\d+|'[^']*')")
    for played in report.played:
        for one in played.verdict.findings:
            if one.outcome is Outcome.VIOLATED and one.kind in ("connection", "handler", "task"):
                if one.kind == "task" and not one.holder:
                    continue  # a thread or a process, which the system holds
                holder = (one.holder or "").removeprefix(f"{module.__name__}.")
                assert re.fullmatch(pattern, holder), f"{played.name}: {holder}"


def said(report: Report) -> str:
    """The report as it would be printed."""
    return render(report, Words()).plain


def doubts(report: Report) -> tuple[str, ...]:
    """The cases that could not be judged."""
    return report.named(Outcome.UNKNOWN)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [*ALONE, "trusts_tcp", "row_left_open"])
def test_a_broken_server_gets_exactly_its_findings(name: str, processes: Processes) -> None:
    report = graded("broken", name, processes)
    got_exactly_its_findings("broken", name, report)
    named_its_holder(name, report)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_server_is_not_accused(name: str, processes: Processes) -> None:
    report = graded("correct", name, processes)
    assert report.outcome is Outcome.HELD, said(report)


@pytest.mark.timeout(120)
def test_the_reference_is_not_accused(processes: Processes) -> None:
    with Grader(Subject(app="lab.servers.reference.app:app"), processes) as grader:
        report = grader.grade()
    assert report.outcome is Outcome.HELD, said(report)


def test_the_gallery_is_as_large_as_it_should_be() -> None:
    assert len(BROKEN) >= 20
    assert len(CORRECT) >= 10


def test_every_kind_of_finding_is_on_show() -> None:
    shown = {claim for name in BROKEN for claim in declared("broken", name)}
    kinds = {f"no-orphan {kind}" for kind in ("connection", "handler", "task", "row", "socket")}
    assert kinds | {"counter-is-true", "no-noise", "still-served", "noticed-within", "stops-in-time"} <= shown


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_server_names_cases_that_there_are(name: str) -> None:
    assert {case for found in declared("broken", name).values() for case in found} <= set(cases())
