"""Quit: a client program is interrupted in the middle of a session.

Somebody presses Ctrl-C. Alice's program gets SIGINT, its `with` block unwinds,
and on the way out the websockets library closes the connection with 1011: to
the server it looks as if the client had hit an error. So an 1011 in your logs
need not be your bug.
"""

from lab import ClosedWith, Connect, Interrupt, NoticedWithin, Scenario, StillServed, tidy

scenario = Scenario(
    title="A client program is interrupted with Ctrl-C",
    given=(Connect("alice"), Connect("bob")),
    when=(Interrupt("alice"),),
    within=2.0,
    then=(
        NoticedWithin("alice", 1.0),
        ClosedWith("alice", 1011),
        *tidy("alice"),
        StillServed("bob"),
    ),
    hint="Do you clean up for some codes only? The code says why it ended, not whether it ended.",
)
