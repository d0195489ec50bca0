"""Nat: the way between forgets a connection that has been silent.

"The laptop lid, or a NAT timeout, probably." Routers and load balancers remember
each connection, and forget it when no byte has crossed for a while. Nobody is
told: no FIN, no RST. Only who speaks later learns of it, by an RST.

Carol's router forgets after one second. A ping every half second is a byte in
time, and she may be as quiet as she likes. Alice's forgets after a quarter, and
no ping is fast enough for that; but the next one runs into the RST, and the
server knows. Alice, who says nothing, goes on believing that she is connected.
(With Docker she gets an RST too: Toxiproxy cannot end one side only.)
"""

from lab import Connect, Idle, NoGoodbye, NoticedWithin, Rest, Scenario, StillServed, tidy

scenario = Scenario(
    title="A NAT forgets silent connections, and pings keep one alive",
    given=(Connect("alice"), Connect("bob"), Connect("carol")),
    when=(
        Idle("alice", 0.25),
        Idle("carol", 1.0),
        Rest("carol", 1.25),  # says nothing for longer than her router remembers
    ),
    within=2.0,
    then=(
        NoticedWithin("alice", 1.5),
        NoGoodbye("alice"),
        *tidy("alice"),
        StillServed("carol"),
        StillServed("bob"),
    ),
    hint="Who breaks the silence when users do not, and how often? Is the shortest memory on the way longer?",
)
