"""Stall: the link goes silent, comes back, and goes silent for good.

A train in a tunnel. The first tunnel is short: what Bob says to everybody in
there must reach Alice when she is out again. The second one has no end. Not a
byte is lost in either, and nothing closes; only pings can tell them apart.
"""

from lab import Broadcast, Connect, Heal, Heard, NoGoodbye, NoticedWithin, Rest, Say, Scenario, Stall, StillServed, tidy

scenario = Scenario(
    title="The link falls silent, recovers, then falls silent for good",
    given=(Connect("alice"), Connect("bob"), Connect("carol")),
    when=(
        Stall("alice"),
        Broadcast("bob", "you are in a tunnel"),
        Rest("alice", 0.2),  # the server waits 0.5 s for a pong
        Heal("alice"),
        Say("alice", "out again"),
        Stall("alice"),
        Broadcast("bob", "and again"),
    ),
    within=2.5,
    then=(
        NoticedWithin("alice", 1.5),
        NoGoodbye("alice"),
        Heard("alice", "you are in a tunnel"),
        *tidy("alice"),
        StillServed("bob"),
        StillServed("carol"),
    ),
    hint="Silence is no end. How long do you wait before you treat it as one?",
)
