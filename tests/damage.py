"""Stored timelines, damaged: lines gone, cut, doubled, or with other values in them; and what is judged of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from lab.judge import judge
from lab.reports import Played, Report, data, junit, terminal
from lab.scenario import load, names
from lab.timeline import Timeline, TimelineError
from lab.verdict import Outcome
from lab.words import LANGUAGES, Words

GOLDEN = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "golden").glob("*.jsonl")}

WEIRD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, -(10**400), 1e308, "", "\ud800", "x" * 1000, "alice", "carol-99999999999", "1006"]),
    st.floats(),
    st.text(max_size=8),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)),
)
"""What may stand where something else should."""


@st.composite
def damaged(draw: st.DrawFn, stored: str) -> str:
    """A stored timeline with a few lines gone, cut, doubled, or with other values in them."""
    lines = stored.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        if not lines:
            break
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["change"] * 6 + ["drop", "cut", "double", "deep", "huge"])):
            case "drop":
                lines.pop(at)
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "double":
                lines.insert(draw(st.integers(0, len(lines))), lines[at])
            case "deep":
                lines[at] = "[" * 100_000
            case "huge":
                lines[at] = '{"at":' + "9" * 5000 + "}"
            case _:
                lines[at] = changed(draw, lines[at])
    return "\n".join(lines)


def changed(draw: st.DrawFn, line: str) -> str:
    """The line with another value somewhere."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return line
    inside: Any = entry
    while True:
        if not inside or not isinstance(inside, dict | list):
            return line
        keys = list(inside) if isinstance(inside, dict) else [*range(len(inside))]
        key = draw(st.sampled_from(keys))
        if not isinstance(inside[key], dict | list) or not inside[key] or draw(st.booleans()):
            inside[key] = draw(WEIRD)
            return json.dumps(entry)
        inside = inside[key]


def judged(text: str) -> Outcome | None:
    """The outcome, with every report of it written; None if it was refused."""
    try:
        timeline = Timeline.from_jsonl(text)
    except TimelineError:
        return None
    head = timeline.header
    if head.scenario not in names():
        return None
    verdict = judge(load(head.scenario), timeline)
    played = Played(head.scenario, verdict, timeline)
    report = Report("judge", head.subject, head.backend, head.flavour, 0.0, (played,))
    for language in LANGUAGES:
        words = Words(language)
        assert terminal.scenario(played, words).plain
        assert data.render(report, words)
        assert junit.render(report, words)
    return verdict.outcome
