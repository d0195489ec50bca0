"""The judge reads anything: a damaged timeline is refused or judged, and one that was cut short is unknown."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.verdict import Outcome
from tests.damage import GOLDEN, damaged, judged

SLOW = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SLOW
@given(st.sampled_from(sorted(GOLDEN)).flatmap(lambda name: damaged(GOLDEN[name])))
def test_whatever_is_done_to_a_timeline_it_is_refused_or_judged(text: str) -> None:
    assert judged(text) in (None, *Outcome)


@SLOW
@given(st.sampled_from(sorted(GOLDEN)), st.data())
def test_a_timeline_that_was_cut_short_is_unknown(name: str, drawn: st.DataObject) -> None:
    lines = GOLDEN[name].splitlines()
    assert judged("\n".join(lines[: drawn.draw(st.integers(1, len(lines) - 1))])) in (None, Outcome.UNKNOWN)
