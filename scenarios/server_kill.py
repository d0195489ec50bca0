"""Server-kill: the server dies, and its `finally` dies with it.

SIGKILL, or out of memory. Every client sees 1006. No cleanup ran: the rows in
the database still say that Alice and Bob are connected. Somebody has to put
that right after the restart, and must be able to tell the rows of a dead
process from those of one that is alive: by boot id and lease.
"""

from lab import ClosedWith, Connect, CounterIsTrue, Heal, Kill, NoNoise, NoOrphan, Scenario, StillServed

scenario = Scenario(
    title="The server is killed, restarted, and its rows are reaped",
    given=(Connect("alice"), Connect("bob")),
    when=(Kill("server"), Heal("server"), Connect("bob#2")),
    within=4.0,  # the lease is 1 s, and the reaper comes by four times in it
    then=(
        ClosedWith("alice", 1006, at="client"),
        ClosedWith("bob", 1006, at="client"),
        NoOrphan("alice", kinds=("row",), reaped=True),
        NoOrphan("bob", kinds=("row",), reaped=True),
        CounterIsTrue(),
        NoNoise(),
        StillServed("bob#2"),
    ),
    hint="No `finally` survives SIGKILL. Who closes the rows, and how does it know whose process is dead?",
)
