"""Away: a page is left while its successor is already open.

Alice reloads. Her browser opens the new page's WebSocket before it closes the
old one's, with 1001, "going away". For a moment she is there twice. When the
old connection ends, the new one must keep all that is hers: a server that files
its connections under the user's name throws out the newcomer.
"""

from lab import ClosedWith, Connect, Leave, NoticedWithin, Scenario, StillServed, tidy

scenario = Scenario(
    title="A page is left (1001) while the same user's next one is open",
    given=(Connect("alice"), Connect("bob")),
    when=(Connect("alice#2"), Leave("alice", 1001)),
    within=2.0,
    then=(
        NoticedWithin("alice", 1.0),
        ClosedWith("alice", 1001),
        *tidy("alice"),
        StillServed("alice#2"),
        StillServed("bob"),
    ),
    hint="Two connections, one user. Which of them does your cleanup remove, if it goes by the user's name?",
)
