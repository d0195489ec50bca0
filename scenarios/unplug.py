"""Unplug: a client loses its network, cable and all.

No FIN, no RST, no byte in either direction; Alice's program runs on and has no
idea. With Docker her container is disconnected from its network; without, her
link swallows everything. The server's sends succeed, into the void.
"""

from lab import Broadcast, Connect, NoGoodbye, NoticedWithin, Scenario, StillServed, Unplug, tidy

scenario = Scenario(
    title="A client's network is unplugged",
    given=(Connect("alice"), Connect("bob"), Connect("carol")),
    when=(Unplug("alice"), Broadcast("bob", "who is missing?")),
    within=2.5,
    then=(
        NoticedWithin("alice", 1.5),
        NoGoodbye("alice"),
        *tidy("alice"),
        StillServed("bob"),
        StillServed("carol"),
    ),
    hint="A send that succeeds has reached a buffer, not a client. What proves that somebody is there?",
)
