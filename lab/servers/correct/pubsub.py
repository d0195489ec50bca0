"""pubsub: a bounded queue for each client, a task that fills it and one that empties it into the socket.

The slow miss messages instead of holding up the fast; whichever task ends first, the other is cancelled and awaited.
"""

import asyncio
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
inboxes: set[asyncio.Queue[str]] = set()


def publish(text: str) -> None:
    for inbox in inboxes:
        with suppress(asyncio.QueueFull):
            inbox.put_nowait(text)


async def read(websocket: WebSocket, user: str) -> None:
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        publish(f"{user}: {message.get('text') or 'something binary'}")


async def write(websocket: WebSocket, inbox: asyncio.Queue[str]) -> None:
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        while True:
            text = await inbox.get()
            async with asyncio.timeout(1):
                await websocket.send_text(text)


@app.websocket("/ws")
async def channel(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    inbox: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
    inboxes.add(inbox)
    print(f"{user} joined; active connections: {len(inboxes)}")  # noqa: T201  # as people do
    tasks = [asyncio.create_task(read(websocket, user)), asyncio.create_task(write(websocket, inbox))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        inboxes.discard(inbox)
        print(f"{user} left; active connections: {len(inboxes)}")  # noqa: T201  # as people do
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
