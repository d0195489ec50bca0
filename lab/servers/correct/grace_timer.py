"""grace_timer: who leaves keeps her seat for two seconds, in case she comes back.

The timer holds her name and nothing of the connection, and ends by itself. The count does not wait for it.
"""

import asyncio
from collections import Counter

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

GRACE_SECONDS = 2

app = FastAPI()
seats: Counter[str] = Counter()
"""How many connections each seated user has; 0 while her seat is only being kept."""


def vacate(user: str) -> None:
    if not seats[user]:
        del seats[user]


@app.websocket("/ws")
async def table(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    back = user in seats
    seats[user] += 1
    print(f"{user} is {'back' if back else 'here'}; active connections: {seats.total()}")  # noqa: T201  # as people do
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            async with asyncio.timeout(1):
                await websocket.send_text(f"{len(seats)} seated: {(message.get('text') or 'something binary')[:200]}")
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
    finally:
        seats[user] -= 1
        print(f"{user} left; active connections: {seats.total()}")  # noqa: T201  # as people do
        asyncio.get_running_loop().call_later(GRACE_SECONDS, vacate, user)
