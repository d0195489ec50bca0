"""Finds out how a server speaks, before the first scenario is played on it."""

from __future__ import annotations

from lab import evidence
from lab.answers import is_message
from lab.backends.actors import StageError
from lab.backends.stage import Backend, Cast
from lab.dialect import Dialect
from lab.nemesis import Nemesis
from lab.runner import Play
from lab.scenario import Scenario
from lab.steps import Broadcast, Connect, Say
from lab.timeline import Header, Timeline

LEARN_SECONDS = 1.0
"""How long a server that may speak otherwise is given for what the reference sets up in a few milliseconds."""

HELLO = "do you speak as the reference does?"
LEARNING = Scenario(
    title="learning",
    given=(Connect("alice"), Connect("bob")),
    when=(Say("alice", HELLO), Broadcast("alice", HELLO)),
    within=LEARN_SECONDS,
    then=(),
    hint="none",
)


def learn(backend: Backend, header: Header) -> Dialect:
    """Find out how a server speaks: two clients come, and one of them says what the reference would answer.

    Raises:
        StageError: the stage could not be set; or the server lets nobody in where the reference does.
    """
    timeline = Timeline(header)
    alice, bob = LEARNING.clients
    with backend.stage(Cast(LEARNING.clients, LEARNING.armed), timeline) as stage, Nemesis(stage, timeline) as nemesis:
        timeline.begin()
        play = Play(LEARNING, stage, nemesis, timeline, lambda _: None, LEARN_SECONDS)
        play.story()
        play.census()
        timeline.seal()
    if timeline.first("connected", alice) is None:
        raise StageError(f"it lets nobody in at /ws; lab check {header.subject} finds where it does, and grades it")
    kinds = {held.kind for census in evidence.censuses(timeline) for held in census.held}
    if kinds & {"task", "row"}:
        return Dialect()
    said = {who: {one.text("text") for one in timeline.select("received", who)} for who in (alice, bob)}
    echoes, broadcasts = ({"type": "echo", "text": HELLO}, {"type": "broadcast", "text": HELLO, "from": alice})
    return Dialect(
        frozenset(kinds),
        any(is_message(text, echoes) for text in said[alice]),
        any(is_message(text, broadcasts) for text in said[bob]),
    )
