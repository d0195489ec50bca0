"""One wave of an experiment is played: the subjects come again, and end as the case has them end."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lab.check.company import Company
from lab.check.waves import Wave, faults
from lab.faults import Idle
from lab.steps import Connect, Send

if TYPE_CHECKING:
    from lab.check.visit import Visit


def play(this: Wave, visit: Visit, company: Company) -> list[str]:
    """Play it, and wait until the server has noticed every end; the connections that came, and ended."""
    company.come_back()
    for who in faults(visit.scenario):
        visit.nemesis.heal(who)
        if visit.stage.actor(who).gone:
            visit.renew(who)
    come = this.come.connections
    if this.come not in this.end and not all(visit.timeline.first("connected", who) for who in come):
        visit.connect(this.come)
    for kind, steps in groupby(this.end, type):
        if kind is Send:
            visit.send(*(step for step in steps if isinstance(step, Send)))
            continue
        for step in steps:
            if not (isinstance(step, Connect) and all(company.is_open(who) for who in step.connections)):
                visit.perform(step)
    people = [who for who in come if _has_come(who, visit)]
    if not visit.scenario.silent and visit.subject.witnessed:
        visit.wait(lambda seen: all(seen.first("disconnected", who) for who in people), visit.scenario.within)
    return people


def _has_come(who: str, visit: Visit) -> bool:
    """Whether she was let in; and, where a flow was to be forgotten, whether hers was."""
    came = visit.timeline.first("connected", who)
    idles = [step for step in visit.scenario.when if isinstance(step, Idle)]
    forgotten = [seen.at for step in idles for seen in visit.timeline.select("forgotten", step.who)]
    return came is not None and (not idles or max(forgotten, default=0.0) >= came.at)
