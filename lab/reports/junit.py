"""The verdict, for CI: one test case a scenario, JUnit's XML."""

from __future__ import annotations

import io
import re

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from lab.reports import Played, Report
from lab.reports.terminal import scenario
from lab.verdict import Outcome
from lab.words import Words


def render(report: Report, words: Words) -> str:
    """The whole report: a violation is a failure, a doubt is an error."""
    suite = TestSuite(f"hangup {report.command} {report.subject} ({report.backend})")
    for played in report.played:
        suite.add_testcase(_case(played, report, words))
    document = JUnitXml()
    document.add_testsuite(suite)
    out = io.BytesIO()
    document.write(out, pretty=True)
    return out.getvalue().decode()


NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped; a server may log them all the same."""


def _xml(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)


def _case(played: Played, report: Report, words: Words) -> TestCase:
    case = TestCase(played.name, classname=f"hangup.{report.backend}", time=played.seconds)
    outcome = played.verdict.outcome
    if outcome is not Outcome.HELD:
        bad = [finding for finding in played.verdict.findings if finding.outcome is outcome]
        message = _xml("; ".join(f"{finding.claim} {finding.who}: {words.say(finding.evidence)}" for finding in bad))
        result = (Failure if outcome is Outcome.VIOLATED else Error)(message, outcome.word)
        result.text = _xml(scenario(played, words).plain)
        case.result = [result]
    return case
