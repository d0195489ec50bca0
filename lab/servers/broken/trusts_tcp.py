"""No pings: a client that freezes, or whose network is gone, stays connected until somebody restarts the server."""

from lab.servers.reference.app import create_app

caught_by = ("pause", "stall", "unplug")

PING_SECONDS = None  # BUG: TCP alone says nothing for hours

app = create_app()
