"""Pause: a client freezes with its socket open.

A laptop sleeps, a phone suspends the app. Nothing closes: Alice's kernel goes
on acknowledging, so TCP is content for hours. Only a ping that nobody answers
tells the server. The lab pings every 0.5 s and waits 0.5 s for the pong: a
second at most, and half a second more for a busy machine.

Meanwhile Bob talks to everybody, and Carol must not miss a word.
"""

from lab import Broadcast, Connect, NoGoodbye, NoticedWithin, Pause, Scenario, StillServed, tidy

scenario = Scenario(
    title="A client freezes and its socket stays open",
    given=(Connect("alice"), Connect("bob"), Connect("carol")),
    when=(Pause("alice"), Broadcast("bob", "has anybody seen alice?")),
    within=2.5,
    then=(
        NoticedWithin("alice", 1.5),
        NoGoodbye("alice"),
        *tidy("alice"),
        StillServed("bob"),
        StillServed("carol"),
    ),
    hint="No end of stream comes. Who notices that the pongs stopped?",
)
