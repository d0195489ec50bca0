"""Tried at the start of every server: one task, one timer, one thread, one queue, one socket, and what else is read.

What does not answer as expected makes the kinds that need it unknown: they are neither held nor violated then.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import uvicorn

from lab.witness.compat import asyncio_, starlette_, uvicorn_
from lab.witness.compat.resources import caches, places, pools, queues, threads
from lab.witness.compat.timing import tasks, timers

Attempt = Callable[[], Awaitable[bool]]

ATTEMPTS: Mapping[str, Attempt] = {
    "task": tasks,
    "timer": timers,
    "thread": threads,
    "queue": queues,
    "place": places,
    "pool": pools,
    "cache": caches,
}
"""What is tried, each by the kind of thing that cannot be known without it. `connection` comes on top."""

CONNECTION = "connection"
KINDS = frozenset((*ATTEMPTS, CONNECTION))


async def tried(config: uvicorn.Config | None = None) -> frozenset[str]:
    """The kinds that cannot be known here. It leaves nothing behind, and takes about two milliseconds.

    Args:
        config: the server's, so that its protocol is tried as well.
    """
    unknown = {kind for kind, attempt in ATTEMPTS.items() if not await _answers(attempt)}
    if not (await _answers(_socket) and await _answers(_websocket) and await _answers(lambda: _server(config))):
        unknown.add(CONNECTION)
    return frozenset(unknown)


async def _answers(attempt: Attempt) -> bool:
    with suppress(Exception):  # whatever it is: this is how a name that has changed shows
        return await attempt()
    return False


async def _socket() -> bool:
    """One socket: its transport is of a type that we know to lead to all connections."""
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
        known = type(transport) in asyncio_.transports()
        transport.abort()
        await asyncio.sleep(0)  # in this turn it is closed
    return known


async def _websocket() -> bool:
    """Starlette's WebSocket, if anybody uses it."""
    kind = starlette_.websocket_type()
    if kind is None:
        return True
    scope, ways = {"type": "websocket"}, (_unheard, _unheard)
    one = kind(scope, *ways)
    return starlette_.scope_of(one) is scope and starlette_.ways_of(one) == ways


async def _unheard(*_: object) -> None:
    """As `receive` and `send`."""


async def _server(config: uvicorn.Config | None) -> bool:
    """uvicorn's server, and a protocol of the kind that is to serve."""
    state = uvicorn_.new_state()
    known: object = uvicorn_.connections_of(state)
    if not isinstance(known, set) or not {uvicorn.Server, type(state)} <= uvicorn_.everywhere():
        return False
    if config is None:
        return True
    uvicorn_.loaded(config)
    kind: Any = config.ws_protocol_class
    if kind is None:  # with ws="none"
        return True
    protocol = kind(config=config, server_state=state, app_state={})
    return uvicorn_.connections_of(protocol) is known and uvicorn_.scope_of(protocol) is None
