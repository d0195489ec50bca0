"""Which backend: the one that was asked for, else Docker where an engine answers, else embedded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.backends.stage import Backend

if TYPE_CHECKING:
    from lab.backends.launch import ForkServer

NAMES = ("auto", "docker", "embedded")


class NoEngine(RuntimeError):
    """Docker was asked for and cannot be had. The message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend, and why it is this one.

    Attributes:
        key, why: the sentence that says so, as a key of `[cli]` in words/ and what fills its gap; "" if nobody asked.
    """

    backend: Backend
    key: str = ""
    why: str = ""


def wanted(asked: str | None) -> str:
    """The name that was asked for, else LAB_BACKEND, else auto. It need not be one of NAMES."""
    return asked or os.environ.get("LAB_BACKEND") or "auto"


def choose(asked: str | None, app: str, flavour: str, server: ForkServer | None = None) -> Choice:
    """The backend for a run.

    Args:
        asked: one of NAMES, or None.
        app: the server's `module:attribute`.
        flavour: its WebSocket implementation.
        server: a fork server that was started already, for actors that are processes.

    Raises:
        NoEngine: `docker` was asked for and no engine with Compose v2 answers.
        KeyError: there is no such backend.
    """
    name = wanted(asked)
    if name not in NAMES:
        raise KeyError(name)
    if name == "embedded":
        return Choice(_embedded(app, flavour, server))
    from lab.backends import engine  # only who wants Docker pays for finding it

    found = engine.find()
    if isinstance(found, engine.Engine):
        from lab.backends.docker import Docker

        return Choice(Docker(found, app, flavour), "auto-docker" if name == "auto" else "", found.version)
    if name == "docker":
        raise NoEngine(found)
    return Choice(_embedded(app, flavour, server), "auto-embedded", found)


def _embedded(app: str, flavour: str, server: ForkServer | None) -> Backend:
    from lab.backends.processes import open_processes

    processes = open_processes(server)  # first of all: it imports for a second, and everything below meanwhile
    from lab.backends.embedded import Embedded, Served

    return Embedded(Served(app, flavour), processes)
