"""quick_thread: hands blocking work to a thread, which is done within a moment.

The threads of the pool that did it stay, idle, for the next connection: they are nobody's orphans.
"""

import asyncio
import hashlib
import time

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
connected: set[WebSocket] = set()


def slow_digest(text: str) -> str:
    time.sleep(0.05)
    return hashlib.sha256(text.encode()).hexdigest()


@app.websocket("/ws")
async def digest(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected.add(websocket)
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            answer = await asyncio.to_thread(slow_digest, message.get("text") or "")
            async with asyncio.timeout(1):
                await websocket.send_text(answer)
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
    finally:
        connected.discard(websocket)
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
