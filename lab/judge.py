"""From a scenario and a timeline to a verdict. Pure: the same timeline gets the same verdict, live or from disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab import evidence
from lab.attest import attest
from lab.dialect import Dialect
from lab.faults import SERVER
from lab.invariants import Invariant
from lab.manners import Manners
from lab.phases import PHASED
from lab.scenario import Scenario
from lab.steps import Broadcast, Connect, Rest, Say, Send
from lab.timeline import Timeline
from lab.verdict import Finding, Outcome, Phrase, Verdict, phrase


def judge(scenario: Scenario, timeline: Timeline) -> Verdict:
    """The verdict on a finished run. An unsealed timeline is unknown: the run was cut short."""
    found = findings(scenario, timeline)
    if not timeline.sealed:
        found = (Finding("attested", "", Outcome.UNKNOWN, phrase("cut-short"), whole=True), *found)
    subject, story = scenario.subject, timeline.before(PHASED)
    return Verdict(
        timeline.header.scenario,
        found,
        evidence.codes(story, subject),
        evidence.noticed_ms(story, subject),
        scenario.bound_ms,
        evidence.cleaned_ms(story, subject),
    )


def findings(scenario: Scenario, timeline: Timeline, *, asked: bool = True) -> tuple[Finding, ...]:
    """Everything there is to say so far.

    Args:
        asked: include the claims that need something said at the end.
    """
    story = timeline.before(PHASED)
    found = [*attest(scenario.steps, story), *_conversation(timeline)]
    if _was_not_understood(scenario, story):
        return (*found, Finding("attested", scenario.subject, Outcome.UNKNOWN, phrase("other-dialect")))
    for claim in scenario.then:
        if asked or not claim.asks:
            found += _check(claim, timeline if claim.encore else story)
    name = timeline.header.scenario
    return tuple(replace(one, hint=_hint(name, one)) if one.outcome is Outcome.VIOLATED else one for one in found)


def _conversation(timeline: Timeline) -> Iterator[Finding]:
    """A doubt about the whole of a check whose clients never said anything that the server takes."""
    manners = Manners.of(timeline)
    if manners is not None and manners.met and not manners.spoken_to:
        yield Finding("attested", SERVER, Outcome.UNKNOWN, phrase("not-spoken-to", why=manners.rejection))


def _was_not_understood(scenario: Scenario, story: Timeline) -> bool:
    """Whether it is all about messages that mean something to the reference, and the server speaks otherwise."""
    messages = all(isinstance(step, Say | Broadcast | Send | Connect | Rest) for step in scenario.when)
    return messages and Dialect.of(story).foreign


def _hint(name: str, found: Finding) -> Phrase:
    """The scenario's; a case of a check has none of its own, and the claim's lesson is pointed at."""
    if name.startswith("check:"):
        return phrase("lesson:" + "-".join(filter(None, (found.claim, found.kind))))
    return phrase(f"hint:{name}")


def _check(claim: Invariant, timeline: Timeline) -> Iterator[Finding]:
    """A claim's findings. One that raises has found nothing out: that is a doubt, and no crash."""
    try:
        for found in claim.check(timeline):
            yield _if_there_was_time(found, claim.bound_ms, timeline)
    except Exception as error:
        said = phrase("claim-failed", error=f"{type(error).__name__}: {error}")
        yield Finding(getattr(claim, "word", "attested"), getattr(claim, "who", ""), Outcome.UNKNOWN, said)


def _if_there_was_time(found: Finding, bound_ms: float | None, timeline: Timeline) -> Finding:
    """The finding; a doubt instead of a violation, if the machine could not have met the bound."""
    if found.outcome is not Outcome.VIOLATED or bound_ms is None or evidence.could_be_met(timeline, bound_ms):
        return found
    late = phrase("machine-late", ms=evidence.woken_late_ms(timeline), bound=bound_ms)
    return replace(found, outcome=Outcome.UNKNOWN, evidence=late)
