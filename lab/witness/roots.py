"""Where walks through the application's objects begin, and what they do not enter."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Collection
from typing import Any

from lab.witness.code import user_modules
from lab.witness.connections import Connection, Connections

EVERYWHERE = (
    ("asyncio.selector_events", "_SelectorSocketTransport"),
    ("asyncio.proactor_events", "_ProactorSocketTransport"),
    ("uvicorn.server", "Server"),
    ("uvicorn.server", "ServerState"),
)
"""Types of the server and its loop that know every connection."""


class Roots:
    """The application's own names: its modules', and the application object itself, which a factory may have made.

    Args:
        package: the application's top-level package, whose modules are its own even if it is installed.
        app: the application.
        protocols: types of the server that lead from one connection to all.
    """

    def __init__(self, package: str, app: object, protocols: Collection[type] = ()) -> None:
        self._package, self._app, self._protocols = package, app, protocols

    def found(self) -> tuple[list[Any], dict[int, str]]:
        """The roots now, and the name of each by its id."""
        modules = list(user_modules(self._package))
        roots: list[Any] = [module.__dict__ for module in modules]
        names = {id(module.__dict__): module.__name__ for module in modules}
        names[id(self._app)] = "app"
        loggers = logging.Logger.manager  # the one of Python's own registries in which applications put things by name
        names[id(loggers)] = "logging.Logger.manager"
        return [*roots, self._app, loggers], names

    def prune(self) -> frozenset[type]:
        """The types that lead from one connection to all: a server's and its loop's, and ours."""
        known = {type(asyncio.get_running_loop()), Connection, Connections, *self._protocols}
        for module, name in EVERYWHERE:
            found = getattr(sys.modules.get(module), name, None)
            if isinstance(found, type):
                known.add(found)
        return frozenset(known)
