"""echo: the plainest server there is, with try and finally, and the count in a print.

Anything received goes back as it came, text or binary.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
connected: set[WebSocket] = set()


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected.add(websocket)
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                break
            async with asyncio.timeout(1):
                await websocket.send({**message, "type": "websocket.send"})
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass  # gone while we were answering, or does not read
    finally:
        connected.discard(websocket)
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
