"""What a server's own processes do when it has ended: they follow it, or they are left behind."""

FORK = "fork"
"""What a process is said to be that runs what its parent runs."""

FOLLOW_SECONDS = 5.0
"""How long they may take: a worker reads that its pipe has ended, or asks now and then who its parent is."""
