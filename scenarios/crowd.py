"""Crowd: two hundred clients die at the same moment.

One process holds two hundred connections and is killed. A router reboots, a
proxy crashes: this is how real servers lose clients. The counter must come back
to two, Alice and Bob, and neither he nor Alice may miss a word meanwhile.
"""

from lab import Broadcast, Connect, Kill, NoGoodbye, NoticedWithin, Scenario, StillServed, tidy

scenario = Scenario(
    title="Two hundred clients in one process are killed at once",
    given=(Connect("alice"), Connect("bob"), Connect("carol", times=200)),
    when=(Kill("carol"), Broadcast("alice", "where is everybody?")),
    within=6.0,
    then=(
        NoticedWithin("carol-*", 3.0),
        NoGoodbye("carol-*"),
        *tidy("carol-*"),
        StillServed("alice"),
        StillServed("bob"),
    ),
    hint="Two hundred ends at once: is anything in your cleanup done only for the first?",
)
