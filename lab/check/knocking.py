"""Clients that die while they ask to be let in: a frozen server finds the request and its end at once."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

from lab.clock import now
from lab.scenario import Scenario
from lab.steps import Connect
from lab.timeline import Timeline

ARRIVE_SECONDS = 0.3
"""How long a FIN may take from a client that was killed, through its link, to the server's socket: it takes two ms."""

LOOK_SECONDS = 0.005
"""How often the kernel is looked at, which says nothing by itself."""


def let_ends_arrive(scenario: Scenario, timeline: Timeline) -> None:
    """Wait until those who have knocked at a frozen server, and are gone, have hung up at its socket as well."""
    listening = timeline.last("listening")
    if listening is None or not any(isinstance(step, Connect) and step.knock for step in scenario.when):
        return
    came = {seen.who for seen in timeline.select("connected")}
    waiting = len(came - {seen.who for seen in timeline.select("accepted")})
    port, deadline = int(listening.number("port") or 0), now() + ARRIVE_SECONDS
    while _hung_up_at(port) < waiting and now() < deadline:
        time.sleep(LOOK_SECONDS)  # the kernel can only be looked at


def _hung_up_at(port: int) -> int:
    """How many clients of a port have hung up on a server that has not noticed."""
    count = 0
    with suppress(psutil.Error, OSError):
        for one in psutil.net_connections("tcp"):
            address = tuple(one.laddr)
            count += one.status == psutil.CONN_CLOSE_WAIT and bool(address) and address[-1] == port
    return count
