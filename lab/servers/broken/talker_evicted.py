"""talker_evicted: a broadcast without a try round each send; a dead member's error surfaces in the talker's handler.

There it looks like the talker's own disconnect: the healthy talker is removed and loses her connection.
A member stays in the list for 0.3 s after she is gone, while her last visit is written down.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"still-served": "talk"}
# Found only if somebody speaks while the dead are members.
sometimes: dict[str, str] = {"still-served": "pause stall idle rejoin twins flood"}

app = FastAPI()
members: list[WebSocket] = []


async def broadcast(text: str) -> None:
    for member in tuple(members):
        await member.send_text(text)  # BUG: one dead member ends the round, and the talker with it


async def save_last_visit(_user: str) -> None:
    await asyncio.sleep(0.3)  # a slow database


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    members.append(websocket)
    print(f"{user} joined; active connections: {len(members)}")  # noqa: T201  # as people do
    try:
        while True:
            text = await websocket.receive_text()
            await broadcast(f"{user}: {text[:200]}")
    except (WebSocketDisconnect, RuntimeError, KeyError):  # KeyError: a binary frame
        await save_last_visit(user)
    finally:
        members.remove(websocket)
        print(f"{user} left; active connections: {len(members)}")  # noqa: T201  # as people do
