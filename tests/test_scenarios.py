"""Every scenario, on every backend, against the reference server."""

from __future__ import annotations

import pytest

from lab.backends.stage import Backend
from lab.scenario import names
from lab.verdict import Outcome
from tests.playing import play, report


@pytest.mark.parametrize("name", names())
def test_the_reference_server_holds(name: str, backend: Backend) -> None:
    played = play(name, backend)
    assert played.verdict.outcome is Outcome.HELD, report(played)
