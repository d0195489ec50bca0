"""Starlette: its WebSocket, and what it holds of a connection. FastAPI's is the same class."""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import attrgetter
from typing import Any

READ_FROM = {"starlette": ("1.10",)}

MODULE, WEBSOCKET = "starlette.websockets", attrgetter("WebSocket")
SCOPE, RECEIVE, SEND = attrgetter("scope"), attrgetter("_receive"), attrgetter("_send")


def websocket_type() -> type | None:
    """The class, where somebody has imported it; nobody is made to."""
    module = sys.modules.get(MODULE)
    found: type | None = WEBSOCKET(module) if module is not None else None
    return found


def scope_of(websocket: object) -> object:
    """The scope that a WebSocket was made with."""
    return SCOPE(websocket)


def ways_of(websocket: object) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The `receive` and `send` that it was made with."""
    return RECEIVE(websocket), SEND(websocket)
