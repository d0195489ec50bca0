"""endpoint_class: Starlette's WebSocketEndpoint, which calls on_disconnect however it ended.

It lets the exceptions of a failed send out, so dispatch() is wrapped: that a client is gone is no error.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("chat")

names: dict[WebSocket, str] = {}


class Echo(WebSocketEndpoint):
    async def dispatch(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await super().dispatch()

    async def on_connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        names[websocket] = websocket.query_params.get("user", "anonymous")
        log.info("%s joined; active connections: %d", names[websocket], len(names))

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        async with asyncio.timeout(1):
            await websocket.send_json({"from": names[websocket], "text": repr(data)})

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        user = names.pop(websocket, "somebody")
        log.info("%s left with %d; active connections: %d", user, close_code, len(names))


app = Starlette(routes=[WebSocketRoute("/ws", Echo)])
