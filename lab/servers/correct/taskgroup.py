"""taskgroup: a TaskGroup of a reader and a ticker, and `except*`, because what ends it comes in an ExceptionGroup.

Whichever fails first ends the other; the cleanup is in a finally, where no exception has to be matched.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
connected: dict[WebSocket, str] = {}


async def say(websocket: WebSocket, text: str) -> None:
    async with asyncio.timeout(1):
        await websocket.send_text(text)


async def answer(websocket: WebSocket, user: str) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        await say(websocket, f"{user}: {(message.get('text') or 'something binary')[:200]}")


async def tick(websocket: WebSocket) -> None:
    while True:
        await asyncio.sleep(0.5)
        await say(websocket, f"{len(connected)} online")


@app.websocket("/ws")
async def talk(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected[websocket] = user
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(answer(websocket, user))
            group.create_task(tick(websocket))
    except* (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
    finally:
        del connected[websocket]
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
