"""No pings: a client that freezes, or whose network is gone, stays connected until somebody restarts the server."""

from lab.servers.reference.app import create_app

caught_by = ("pause", "stall", "unplug")
findings: dict[str, str] = {
    "noticed-within": "pause stall",
    "no-orphan handler": "pause stall",
    "no-orphan socket": "pause stall",
    "no-orphan row": "pause stall",
}

PING_SECONDS = None  # BUG: TCP alone says nothing for hours

app = create_app()
