"""class_based_no_disconnect: a Starlette WebSocketEndpoint whose on_disconnect forgets one of its two registries.

Starlette calls on_disconnect however it ended; what it does not undo stays.
"""

from contextlib import suppress
from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "names{…}"

online: set[WebSocket] = set()
names: dict[WebSocket, str] = {}


class Chat(WebSocketEndpoint):
    async def on_connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        online.add(websocket)
        names[websocket] = websocket.query_params.get("user", "anonymous")
        print(f"{names[websocket]} joined; active connections: {len(online)}")  # noqa: T201  # as people do

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        for member in tuple(online):
            with suppress(WebSocketDisconnect, RuntimeError):  # a dead member is her own handler's business
                await member.send_text(f"{names[websocket]}: {data[:200]!r}")

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        online.discard(websocket)  # BUG: and names?
        print(f"gone with {close_code}; active connections: {len(online)}")  # noqa: T201  # as people do


app = Starlette(routes=[WebSocketRoute("/ws", Chat)])
