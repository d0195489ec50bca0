"""gauge_attribute: a room counts its members in an attribute.

Leave() is called for two close codes, and there are more.
"""

from contextlib import suppress

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"no-orphan connection": "kill quit reset pause stall talk garbage flood crowd"}
holder = "Room.members"

GOING_AWAY = (1000, 1001)


class Room:
    def __init__(self) -> None:
        self.members = 0

    def enter(self) -> None:
        self.members += 1

    def leave(self) -> None:
        self.members -= 1


lobby = Room()


class Lobby(WebSocketEndpoint):
    async def dispatch(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await super().dispatch()

    async def on_connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        lobby.enter()

    async def on_receive(self, websocket: WebSocket, data: str | bytes) -> None:
        await websocket.send_json({"members": lobby.members, "text": repr(data)[:200]})

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:  # noqa: ARG002  # Starlette's own
        if close_code in GOING_AWAY:  # BUG: a client that crashed is gone as well
            lobby.leave()


app = Starlette(routes=[WebSocketRoute("/ws", Lobby)])
