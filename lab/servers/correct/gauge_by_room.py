"""gauge_by_room: a Counter of the members of each room, in a class of endpoints.

On_disconnect counts down, whatever the code.
"""

from collections import Counter
from contextlib import suppress

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

members: Counter[str] = Counter()


def room_of(websocket: WebSocket) -> str:
    return websocket.query_params.get("room", "lobby")


class Room(WebSocketEndpoint):
    async def dispatch(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await super().dispatch()

    async def on_connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        members[room_of(websocket)] += 1

    async def on_receive(self, websocket: WebSocket, data: str | bytes) -> None:
        await websocket.send_json({"members": members[room_of(websocket)], "text": repr(data)[:200]})

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:  # noqa: ARG002  # Starlette's own
        members[room_of(websocket)] -= 1


app = Starlette(routes=[WebSocketRoute("/ws", Room)])
