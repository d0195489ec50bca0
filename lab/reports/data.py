"""The verdict, for programs: one JSON object, schema 1. Times in milliseconds, codes integers or null."""

from __future__ import annotations

import json

import lab
from lab.reports import Played, Report
from lab.timeline import SCHEMA, Json
from lab.verdict import Finding
from lab.words import Words


def render(report: Report, words: Words) -> str:
    """The whole report as JSON text."""
    data: dict[str, Json] = {
        "schema": SCHEMA,
        "hangup": lab.__version__,
        "command": report.command,
        "subject": report.subject,
        "backend": report.backend,
        "flavour": report.flavour,
        "outcome": report.outcome.word,
        "seconds": round(report.seconds, 3),
        "scenarios": [_scenario(played, words) for played in report.played],
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _scenario(played: Played, words: Words) -> dict[str, Json]:
    verdict = played.verdict
    return {
        "name": played.name,
        "title": words.scenario(played.timeline.header.scenario).title,
        "outcome": verdict.outcome.word,
        "codes": {"client": verdict.codes.client, "wire": verdict.codes.wire, "app": verdict.codes.app},
        "noticed_ms": verdict.noticed_ms,
        "bound_ms": verdict.bound_ms,
        "cleaned_ms": verdict.cleaned_ms,
        "seconds": round(played.seconds, 3),
        "findings": [_finding(finding, played.name, words) for finding in verdict.findings],
        "timeline": None if played.unwritten else played.path or None,
        **({"again": played.again} if played.again else {}),
    }


def _finding(finding: Finding, scenario: str, words: Words) -> dict[str, Json]:
    grew = finding.growth
    series: dict[str, Json] = (
        {"series": list(grew.series), "deaths": list(grew.deaths), "control": list(grew.control)} if grew else {}
    )
    return {
        "claim": finding.claim,
        "kind": finding.kind,
        "who": finding.who,
        "outcome": finding.outcome.word,
        "scenario": scenario,
        "evidence": words.say(finding.evidence),
        "holder": finding.holder,
        "hint": words.say(finding.hint) if finding.hint else None,
        **series,
    }
