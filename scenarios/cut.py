"""Cut: the link between client and server is closed in the middle.

A load balancer restarts, a NAT entry is dropped politely. Both ends see the
stream end (a FIN) without a Close frame. To the server it looks just like a
client that was killed, although Alice is alive and wondering.
"""

from lab import ClosedWith, Connect, Cut, NoGoodbye, NoticedWithin, Scenario, StillServed, tidy

scenario = Scenario(
    title="The link is cut with a FIN",
    given=(Connect("alice"), Connect("bob")),
    when=(Cut("alice"),),
    within=2.0,
    then=(
        NoticedWithin("alice", 1.0),
        NoGoodbye("alice"),
        ClosedWith("alice", 1006, at="client"),
        *tidy("alice"),
        StillServed("bob"),
    ),
    hint="The stream ended and no Close frame came. Does that reach your cleanup?",
)
