"""Clients that die while they ask to be let in: a frozen server finds the request and its end at once."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

from lab.clock import now
from lab.faults import SERVER
from lab.scenario import Scenario
from lab.steps import Connect
from lab.timeline import Timeline

ARRIVE_SECONDS = 2.0
"""How long a FIN may take from a client that was killed, through its link, to the server's socket: it takes two ms."""

LOOK_SECONDS = 0.005
"""How often the kernel is looked at, which says nothing by itself."""


def let_ends_arrive(scenario: Scenario, timeline: Timeline) -> bool:
    """Wait until those who have knocked at a frozen server, and are gone, have hung up at its socket as well.

    Returns:
        Whether all have: else the server may have let one in before it could know of her end.
    """
    listening, frozen = timeline.last("listening"), timeline.last("injected", SERVER)
    if listening is None or frozen is None or not any(isinstance(one, Connect) and one.knock for one in scenario.when):
        return True
    waiting = len({seen.who for seen in timeline.select("connected") if seen.at >= frozen.at})
    port, deadline = int(listening.number("port") or 0), now() + ARRIVE_SECONDS
    while (arrived := _hung_up_at(port)) < waiting and now() < deadline:
        time.sleep(LOOK_SECONDS)  # the kernel can only be looked at
    return arrived >= waiting


def _hung_up_at(port: int) -> int:
    """How many clients of a port have hung up on a server that has not noticed."""
    count = 0
    with suppress(psutil.Error, OSError):
        for one in psutil.net_connections("tcp"):
            address = tuple(one.laddr)
            count += one.status == psutil.CONN_CLOSE_WAIT and bool(address) and address[-1] == port
    return count
