"""The verdict, for eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.text import Text

from lab.counter import COUNTER
from lab.reports import Played, Report
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome
from lab.words import Words, harmless

MARKS = {Outcome.HELD: ("✔", "green"), Outcome.VIOLATED: ("✘", "red"), Outcome.UNKNOWN: ("?", "yellow")}
TOLD = (
    *("connected", "refused", "ordered", "injected", "forgotten", "mended"),
    *("disconnected", "told", "closed", "exited"),
)
LINES = 16
"""How many lines of the timeline are shown, the last ones; the file has them all."""

CROWD = re.compile(r"-(?!1$)\d+$")
"""Of a crowd, the first speaks for all."""


def scenario(played: Played, words: Words) -> Text:
    """Title, the lines of the timeline that matter, the claims with their evidence, the codes and times."""
    verdict = played.verdict
    _, colour = MARKS[verdict.outcome]
    text = Text()
    text.append(words.fill("report", verdict.outcome.word), style=f"bold {colour}")
    text.append(f"  {played.name}: {words.scenario(played.timeline.header.scenario).title}\n", style="bold")
    for line in story(played.timeline):
        text.append(f"  {line}\n", style="dim")
    for found in verdict.findings:
        text.append_text(finding(found, words))
    text.append(f"  {_codes(played, words)}\n  {_times(played, words)}\n")
    hints = dict.fromkeys(finding.hint for finding in verdict.findings if finding.hint)
    for hint in hints:
        text.append(f"  {words.fill('report', 'hint')}: {words.say(hint)}\n", style="cyan")
    if played.path and not played.unwritten:
        text.append(f"  {words.fill('report', 'timeline')}: {played.path}\n", style="dim")
    return text


def summary(report: Report, words: Words) -> str:
    """One line for many scenarios."""
    counts = {outcome.word: len(report.named(outcome)) for outcome in Outcome}
    where = {"seconds": report.seconds, "backend": report.backend, "flavour": report.flavour}
    return words.fill("report", "summary", **counts, **where)


def story(timeline: Timeline) -> Iterator[str]:
    """The lines of a timeline that tell the story, in the order in which things happened."""
    seen = sorted((one for one in timeline if _matters(one)), key=lambda one: one.at)
    shown = [one for one in seen if not CROWD.search(one.who)][-LINES:]
    for one in shown:
        yield f"{one.at:9.1f} ms  {one.source:<6} {one.what:<12} {one.who:<8} {harmless(_detail(one))}".rstrip()
    if len(seen) > len(shown):
        yield f"{'':9}     … {len(seen) - len(shown)} more"


def _matters(seen: Observation) -> bool:
    return seen.what in TOLD or (seen.what == "logged" and bool(COUNTER.search(seen.text("text"))))


def _detail(seen: Observation) -> str:
    match seen.what:
        case "injected" | "forgotten" | "mended":
            return f"{seen.text('fault')} {seen.text('seen')}"
        case "ordered":
            return f"{seen.text('do')} {seen.text('text')}"
        case "told" | "closed" | "exited":
            return f"{seen.text('code')} {seen.text('reason')}"
        case "disconnected":
            frame = seen.text("received") or seen.text("sent") or "-"
            return f"by={seen.text('by')} close-frame={frame}"
        case _:
            return seen.text("text")


def finding(found: Finding, words: Words) -> Text:
    """One claim's finding: the claim, the evidence, and what holds what is left."""
    mark, colour = MARKS[found.outcome]
    kind = words.fill("kind", found.kind) if found.kind else ""
    section = "violated" if found.outcome is Outcome.VIOLATED else "claim"
    claim = words.fill(section, found.claim, who=found.who, kind=kind)
    line = Text(f"  {mark} ", style=colour)
    line.append(claim, style="" if found.outcome is Outcome.HELD else "bold")
    line.append(f" — {words.say(found.evidence)}", style="dim" if found.outcome is Outcome.HELD else "")
    if found.holder and found.outcome is Outcome.VIOLATED:
        line.append(f" ({words.fill('report', 'held-by', holder=found.holder)})")
    return line.append("\n")


def _codes(played: Played, words: Words) -> str:
    codes = played.verdict.codes
    parts = (("client", codes.client), ("wire", codes.wire), ("app", codes.app))
    said = (
        f"{words.fill('report', key)} {words.fill('report', 'none') if code is None else code}" for key, code in parts
    )
    return f"{words.fill('report', 'codes')}: {' · '.join(said)}"


def _times(played: Played, words: Words) -> str:
    verdict = played.verdict
    parts = (("noticed", verdict.noticed_ms), ("bound", verdict.bound_ms), ("cleaned", verdict.cleaned_ms))
    return " · ".join(f"{words.fill('report', key)} {'-' if ms is None else f'{ms:.1f} ms'}" for key, ms in parts)
