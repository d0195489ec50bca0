"""ticker: sends the time, twice a second, and listens all the same, in a task, for the end.

What clients say is read and ignored: what nobody reads holds up the pongs behind it, and the client with them.
"""

import asyncio
from datetime import UTC, datetime

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
watching: set[WebSocket] = set()


async def until_gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


@app.websocket("/ws")
async def ticker(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    watching.add(websocket)
    print(f"{user} joined; active connections: {len(watching)}")  # noqa: T201  # as people do
    gone = asyncio.create_task(until_gone(websocket))
    try:
        while not gone.done():
            async with asyncio.timeout(1):
                await websocket.send_text(datetime.now(UTC).isoformat())
            await asyncio.wait([gone], timeout=0.5)
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
    finally:
        watching.discard(websocket)
        print(f"{user} left; active connections: {len(watching)}")  # noqa: T201  # as people do
        gone.cancel()
        await asyncio.wait([gone])
