"""Reset: the link is torn down with an RST.

A firewall that lost its state, a machine that rebooted: instead of an end of
stream the socket reports an error, "connection reset by peer". Servers that
handle the end of a stream have been known to let this one through as an
exception.
"""

from lab import ClosedWith, Connect, NoGoodbye, NoticedWithin, Reset, Scenario, StillServed, tidy

scenario = Scenario(
    title="The link is reset with an RST",
    given=(Connect("alice"), Connect("bob")),
    when=(Reset("alice"),),
    within=2.0,
    then=(
        NoticedWithin("alice", 1.0),
        NoGoodbye("alice"),
        ClosedWith("alice", 1006, at="client"),
        *tidy("alice"),
        StillServed("bob"),
    ),
    hint="A reset is an error on the socket, not an end of stream. Is it an end of the session for you?",
)
