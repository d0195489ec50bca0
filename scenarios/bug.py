"""Bug: the message handler raises.

Not every exception is a disconnect. Alice sends the one message that the server
cannot handle. She is owed an explanation, a structured error, and then a clean
end: a Close frame with 1011, "internal error". Left alone, uvicorn would drop
the socket and she would see 1006.
"""

from lab import Answered, CleanedOnce, ClosedWith, Connect, CounterIsTrue, NoOrphan, Scenario, Send, StillServed

scenario = Scenario(
    title="A bug in the handler ends with a structured error and 1011",
    given=(Connect("alice"), Connect("bob")),
    when=(Send("alice", '{"type": "bug"}'),),
    within=2.0,
    then=(
        Answered("alice", ("internal",)),
        ClosedWith("alice", 1011, at="client", reason="internal error"),
        NoOrphan("alice"),
        CleanedOnce("alice"),
        CounterIsTrue(),
        StillServed("bob"),
    ),
    hint="After `except Exception`, has the client been told, and does the same cleanup run?",
)
