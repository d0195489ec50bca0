"""The grade of somebody's own server, for eyes: a line a case, and each finding once, with its evidence."""

from __future__ import annotations

from rich.text import Text

from lab.manners import Manners
from lab.reports import Played, Report
from lab.reports.terminal import MARKS, finding
from lab.verdict import Finding, Outcome
from lab.words import Words


def render(report: Report, words: Words) -> Text:
    """Every case, what it found that no case before it had, and the lessons that are pointed at."""
    text = Text()
    shown: dict[tuple[str, str | None], str] = {}
    hints: dict[str, None] = {}
    for played in report.played:
        text.append_text(_case(played, words))
        for one in played.verdict.findings:
            if one.outcome is not Outcome.HELD:
                text.append_text(_once(one, played.name, shown, words))
            if one.hint:
                hints[words.say(one.hint)] = None
    for hint in hints:
        text.append(f"{words.fill('report', 'hint')}: {hint}\n", style="cyan")
    manners = next((found for played in report.played if (found := Manners.of(played.timeline)) is not None), None)
    if manners is not None and not manners.talks:
        text.append(f"{words.fill('cli', 'no-talk')}\n", style="yellow")
    text.append(f"{_summary(report, words)}\n", style=f"bold {MARKS[report.outcome][1]}")
    return text


def _case(played: Played, words: Words) -> Text:
    mark, colour = MARKS[played.verdict.outcome]
    title = words.scenario(played.timeline.header.scenario).title
    line = Text(f"{mark} ", style=colour)
    line.append(f"{played.name:<8} ", style="bold").append(title)
    if played.verdict.noticed_ms is not None:
        line.append(f"  ({words.fill('report', 'noticed')} {played.verdict.noticed_ms:.1f} ms)", style="dim")
    line.append("\n")
    if played.again:
        line.append(f"    {words.fill('cli', 'again', why=played.again)}\n", style="dim")
    return line


def _once(one: Finding, case: str, shown: dict[tuple[str, str | None], str], words: Words) -> Text:
    """In full the first time; after that only where it was seen first."""
    key = (one.claim, one.kind)
    if key not in shown:
        shown[key] = case
        return Text("  ").append_text(finding(one, words))
    if shown[key] == case:
        return Text()
    what = one.claim + (f" {words.fill('kind', one.kind)}" if one.kind else "")
    mark, colour = MARKS[one.outcome]
    same = words.fill("cli", "same", what=what, case=shown[key])
    return Text(f"    {mark} ", style=colour).append(f"{same}\n", style="dim")


def _summary(report: Report, words: Words) -> str:
    counts = {outcome.word: len(report.named(outcome)) for outcome in Outcome}
    about = {"app": report.subject, "count": len(report.played), "seconds": report.seconds, "flavour": report.flavour}
    return words.fill("cli", "graded", **counts, **about)
