"""Nap: a client freezes, but wakes before anybody could know.

A pause of a quarter of a second is shorter than a pong may take. Alice must
keep her session, and what Bob said to everybody while she slept must be there
when she wakes. A server that hangs up too early is as wrong as one that never
does.
"""

from lab import Broadcast, Connect, CounterIsTrue, Heal, NoNoise, Pause, Rest, Scenario, StillServed

scenario = Scenario(
    title="A client freezes for a moment and comes back",
    given=(Connect("alice"), Connect("bob")),
    when=(
        Pause("alice"),
        Broadcast("bob", "while you were asleep"),
        Rest("alice", 0.25),  # the server waits 0.5 s for a pong
        Heal("alice"),
    ),
    within=1.0,
    then=(
        StillServed("alice"),
        CounterIsTrue(),
        NoNoise(),
        StillServed("bob"),
    ),
    hint="How long may a pong take before you give a client up? Shorter than a lift ride is too short.",
)
