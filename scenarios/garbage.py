"""Garbage: a client talks nonsense, and goes on.

Bad JSON, JSON of the wrong shape, a binary frame: three mistakes, none of which
ends a session. Each is owed a structured error. The next good message must be
answered as if nothing had happened.
"""

from lab import Answered, Connect, CounterIsTrue, NoNoise, Scenario, Send, StillServed

scenario = Scenario(
    title="Bad messages are answered with errors and the session lives on",
    given=(Connect("alice"), Connect("bob")),
    when=(
        Send("alice", '{"type": "echo", '),
        Send("alice", "[1, 2, 3]"),
        Send("alice", b"\x00\x01\x02"),
    ),
    within=2.0,
    then=(
        Answered("alice", ("bad-json", "bad-shape", "not-text")),
        StillServed("alice"),
        CounterIsTrue(),
        NoNoise(),
        StillServed("bob"),
    ),
    hint="`receive_json` raises three different things for these. Which of them leaves your loop?",
)
