"""How a subject is served: inside a process of the lab's, by its own command, or in a container; and for how long."""

from __future__ import annotations

from dataclasses import replace

from lab.backends.embedded import Embedded, Served
from lab.backends.launch import ForkServer, can_fork
from lab.backends.processes import Processes
from lab.check.commanded import Command, Commanded, Image
from lab.check.subject import Subject
from lab.invariants.foreign import LEGACY_SECONDS
from lab.scenario import Scenario
from lab.servers import by_module

OURS = ("lab.servers.reference", "lab.servers.broken")

REAL_PINGED = 2.5
"""Seconds that a server gets, from outside, to find a silent client if nobody says how often it pings."""


def new_server(subject: Subject) -> ForkServer | None:
    """A fork server that has imported what this subject is likely to need."""
    return ForkServer(reference=by_module(subject.app).startswith(OURS)) if can_fork() else None


def served_of(subject: Subject) -> Served | Command | Image:
    if subject.command:
        return Command(subject.command, subject.url, subject.env)
    if subject.image:
        return Image(subject.image, subject.port, subject.env, subject.allowed)
    time = {"LAB_PINGS": "0.5", "LAB_MOVES": ""} if subject.real_time else {"LAB_PINGS": "20", "LAB_MOVES": "1"}
    env = {
        **time,
        "LAB_GRACE": "",
        "LAB_FACTORY": "1" if subject.factory else "",
        "LAB_DATABASE": "",
        **subject.env,
    }
    ours = by_module(subject.app).startswith(OURS)  # somebody else's DATABASE_URL is theirs
    return Served(by_module(subject.app), subject.flavour, env, database=ours)


def backend_of(served: Served | Command | Image, processes: Processes) -> Embedded:
    match served:
        case Command():
            return Commanded(served, processes)
        case Image():
            from lab.check.contained import Contained  # only who wants Docker pays for importing it

            return Contained(served, processes)
    return Embedded(served, processes)


def bounded(scenario: Scenario, subject: Subject) -> Scenario:
    """The case with a longer bound for uvicorn's deprecated implementation, and for servers that ping seldom."""
    if subject.witnessed:
        longer = LEGACY_SECONDS if subject.flavour == "websockets" else 0.0
        return replace(scenario, within=scenario.within + longer)
    return replace(scenario, within=max(REAL_PINGED, 2 * subject.pings + 1)) if scenario.silent else scenario
