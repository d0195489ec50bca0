"""Kill: a client dies without saying goodbye.

Alice's process gets SIGKILL. She cannot catch it, so she sends no Close frame.
Her kernel closes the socket for her, and that is all the server gets: an end of
stream in the middle of a conversation. The protocol's word for that is 1006, a
code that nobody ever sends.

Bob is the bystander. He is here to prove that cleaning up after Alice does not
mean cleaning up everybody.
"""

from lab import Connect, Kill, NoGoodbye, NoticedWithin, Scenario, StillServed, tidy

scenario = Scenario(
    title="A client is killed and sends no Close frame",
    given=(Connect("alice"), Connect("bob")),
    when=(Kill("alice"),),
    within=2.0,
    then=(
        NoticedWithin("alice", 1.0),  # a FIN travels at once; the rest is for a busy machine
        NoGoodbye("alice"),
        *tidy("alice"),
        StillServed("bob"),
    ),
    hint="An exception ends the receive loop. Is all cleanup in a `finally`?",
)
