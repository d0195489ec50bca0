"""Close: a client says goodbye.

Alice sends a Close frame with code 1000, the server answers it, and both hang
up. This is the end that every server gets right. It is here because the others
are measured against it: the same cleanup must follow.
"""

from lab import ClosedWith, Connect, Leave, NoticedWithin, Scenario, StillServed, tidy

scenario = Scenario(
    title="A client closes cleanly, with code 1000",
    given=(Connect("alice"), Connect("bob")),
    when=(Leave("alice", 1000, "bye"),),
    within=2.0,
    then=(
        NoticedWithin("alice", 1.0),
        ClosedWith("alice", 1000, reason="bye"),
        *tidy("alice"),
        StillServed("bob"),
    ),
    hint="Does your cleanup run for a polite end too, and only once?",
)
