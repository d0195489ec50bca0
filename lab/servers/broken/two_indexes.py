"""two_indexes: finds a connection by its user and by its room; the end of it is told to one of the two.

What the log counts is the index that is cleaned.
"""

from collections import defaultdict
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "rooms['lobby']{…}"

app = FastAPI()
by_user: defaultdict[str, set[WebSocket]] = defaultdict(set)
rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)


def count() -> int:
    return sum(len(sockets) for sockets in by_user.values())


def join(websocket: WebSocket, user: str, room: str) -> None:
    by_user[user].add(websocket)
    rooms[room].add(websocket)
    print(f"{user} joined {room}; active connections: {count()}")  # noqa: T201  # as people do


def leave(websocket: WebSocket, user: str) -> None:
    by_user[user].discard(websocket)  # BUG: and rooms?
    if not by_user[user]:
        del by_user[user]
    print(f"{user} left; active connections: {count()}")  # noqa: T201  # as people do


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous", room: str = "lobby") -> None:
    await websocket.accept()
    join(websocket, user, room)
    try:
        while True:
            text = await websocket.receive_text()
            for member in tuple(rooms[room]):
                with suppress(WebSocketDisconnect, RuntimeError):  # a dead member is her own handler's business
                    await member.send_text(f"{user}: {text[:200]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        leave(websocket, user)
