"""lock_of_a_user: a lock for each user, so that two tabs do not write at once.

The locks stay, one a user and not one a visit.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
locks: dict[str, asyncio.Lock] = {}
notes: dict[str, str] = {}


@app.websocket("/ws")
async def note(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    lock = locks.setdefault(user, asyncio.Lock())
    try:
        while True:
            text = await websocket.receive_text()
            async with lock:
                notes[user] = text[:200]
                await asyncio.sleep(0)
            await websocket.send_text(notes[user])
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
