"""uvicorn: the application it calls, where it listens, and what its protocols know of a connection."""

from __future__ import annotations

import sys
from operator import attrgetter
from typing import Any

import uvicorn

READ_FROM = {"uvicorn": ("0.54",)}

LOADED = "loaded_app"
SOCKETS = attrgetter("servers")
CONNECTIONS, SCOPE, SHAKEN = attrgetter("connections"), "scope", "handshake_complete"
STATE = attrgetter("ServerState")
EVERYWHERE = (("uvicorn.server", "Server"), ("uvicorn.server", "ServerState"))


def loaded(config: uvicorn.Config) -> Any:
    """What uvicorn will call for each connection: the application, and what uvicorn itself puts round it."""
    if not config.loaded:
        config.load()
    return getattr(config, LOADED)


def call_instead(config: uvicorn.Config, app: object) -> None:
    """Have it call another."""
    loaded(config)  # else it would be overwritten when the server starts
    setattr(config, LOADED, app)


def port_of(server: uvicorn.Server) -> int:
    """Where a started server listens."""
    found: int = SOCKETS(server)[0].sockets[0].getsockname()[1]
    return found


def new_state() -> Any:
    """What the connections of a server share."""
    return STATE(sys.modules["uvicorn.server"])()


def connections_of(protocol: object) -> set[object]:
    """All connections of the server that a protocol belongs to, itself among them; or those of a server's state."""
    found: set[object] = CONNECTIONS(protocol)
    return found


def scope_of(protocol: object) -> object:
    """The scope that a protocol gave the application; None before there is one."""
    return getattr(protocol, SCOPE, None)


def share(protocol: object, scope: object) -> None:
    """Have it keep another scope."""
    setattr(protocol, SCOPE, scope)


def is_shaken(protocol: object) -> bool:
    """Whether the handshake is over. uvicorn's deprecated implementation does not say, and is taken at its accept."""
    return bool(getattr(protocol, SHAKEN, True))


def everywhere() -> frozenset[type]:
    """The types of a server that know all its connections."""
    known = (getattr(sys.modules.get(module), name, None) for module, name in EVERYWHERE)
    return frozenset(one for one in known if isinstance(one, type))
