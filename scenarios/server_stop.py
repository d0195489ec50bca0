"""Server-stop: the server is told to stop, as every deploy does.

SIGTERM. uvicorn tells each connection 1012, "service restart"; the handlers
are not cancelled, their receive raises. Every `finally` must run, every row
must be closed by its own session, and the process must be gone in time.
"""

from lab import CleanedOnce, ClosedWith, Connect, Heal, NoNoise, NoOrphan, Scenario, StillServed, Stop, StopsInTime

scenario = Scenario(
    title="The server stops on SIGTERM: 1012, every finally, in time",
    given=(Connect("alice"), Connect("bob")),
    when=(Stop("server"), Heal("server"), Connect("bob#2")),
    within=4.0,
    then=(
        ClosedWith("alice", 1012),
        ClosedWith("alice", 1012, at="client"),
        ClosedWith("bob", 1012),
        CleanedOnce("alice"),
        CleanedOnce("bob"),
        NoOrphan("alice", kinds=("row",)),
        NoOrphan("bob", kinds=("row",)),
        StopsInTime(seconds=3.0),
        NoNoise(),
        StillServed("bob#2"),
    ),
    hint="What does your shutdown wait for, and what does it leave to nobody?",
)
