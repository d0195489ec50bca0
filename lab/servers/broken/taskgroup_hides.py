"""taskgroup_hides: a TaskGroup in the handler, and an `except WebSocketDisconnect` round it that never fires.

The exception arrives inside an ExceptionGroup: nothing is cleaned up, and the group escapes into the log.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "counter-is-true": "*",
    "no-noise": "close kill quit away reset pause stall twins crowd",
    "closed-with": "garbage",
}
holder = "connected{…}"

app = FastAPI()
connected: dict[WebSocket, str] = {}


async def answer(websocket: WebSocket, user: str) -> None:
    while True:
        text = await websocket.receive_text()
        await websocket.send_text(f"{user}: {text[:200]}")


async def tick(websocket: WebSocket) -> None:
    while True:
        await asyncio.sleep(0.5)
        await websocket.send_text(f"{len(connected)} online")


@app.websocket("/ws")
async def talk(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected[websocket] = user
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(answer(websocket, user))
            group.create_task(tick(websocket))
    except WebSocketDisconnect:  # BUG: it is in an ExceptionGroup; `except*`, and the cleanup in a finally
        del connected[websocket]
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
