"""grace_cancelled: who leaves keeps her place for twenty seconds by call_later.

The timer is cancelled if she comes back.
"""

import asyncio
from dataclasses import dataclass, field

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

GRACE_SECONDS = 20.0

app = FastAPI()


@dataclass
class Place:
    websockets: set[WebSocket] = field(default_factory=set)
    leaving: asyncio.TimerHandle | None = None


places: dict[str, Place] = {}


def enter(user: str, websocket: WebSocket) -> None:
    place = places.setdefault(user, Place())
    place.websockets.add(websocket)
    if place.leaving is not None:
        place.leaving.cancel()
        place.leaving = None


def leave(user: str, websocket: WebSocket) -> None:
    place = places[user]
    place.websockets.discard(websocket)
    if not place.websockets:
        place.leaving = asyncio.get_running_loop().call_later(GRACE_SECONDS, places.pop, user)


@app.websocket("/ws")
async def table(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    enter(user, websocket)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        leave(user, websocket)
