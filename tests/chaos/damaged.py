"""Stored timelines, damaged at random: the judge refuses them or judges them, whatever they are."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import hypothesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from lab.verdict import Outcome
from tests.damage import GOLDEN, damaged, judged


def play(seed: int, times: int) -> Iterator[tuple[str, list[str]]]:
    """So many of them, and what was wrong."""

    @hypothesis.seed(seed)
    @settings(
        max_examples=times,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @hypothesis.given(st.sampled_from(sorted(GOLDEN)).flatmap(lambda name: damaged(GOLDEN[name])))
    def judge_all(text: str) -> None:
        assert judged(text) in (None, *Outcome)

    faults: list[str] = []
    try:
        judge_all()
    except Exception:
        faults.append(traceback.format_exc(limit=-3))
    yield f"timelines: {times} damaged", faults
