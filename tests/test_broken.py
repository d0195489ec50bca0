"""The grader is graded: every broken server is caught by exactly the scenarios it names, and by no other."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from lab.backends.embedded import Embedded, Served
from lab.backends.processes import Processes
from lab.reports import Played
from lab.scenario import names
from lab.servers import application, broken_servers
from lab.verdict import Outcome
from tests.playing import play, report

AT_ONCE = 4
"""Most of the time of a violated run is waiting for what does not come."""


@cache
def caught_by(server: str) -> frozenset[str]:
    """The scenarios that a server on top of the reference names; the others do not speak its language."""
    module = importlib.import_module(application(server).partition(":")[0])
    return frozenset(getattr(module, "caught_by", ()))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("server", [name for name in broken_servers() if caught_by(name)])
def test_a_broken_server_is_caught_by_exactly_its_scenarios(server: str, processes: Processes) -> None:
    backend = Embedded(Served(application(server)), processes)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = list(pool.map(lambda name: play(name, backend, server), names()))
    caught = {one.name for one in played if one.verdict.outcome is Outcome.VIOLATED}
    doubtful = [one for one in played if one.verdict.outcome is Outcome.UNKNOWN]
    expected = caught_by(server)
    assert not doubtful, "".join(map(report, doubtful))
    assert caught == expected, "".join(report(one) for one in _surprises(played, caught ^ expected))


def _surprises(played: list[Played], surprising: set[str]) -> list[Played]:
    return [one for one in played if one.name in surprising]
