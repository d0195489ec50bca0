"""timed_cache: who has left can be asked about for a quarter of a minute; then the loop's own timer forgets her."""

import asyncio
import uuid

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
left_lately: dict[str, WebSocket] = {}


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        visit = uuid.uuid4().hex
        left_lately[visit] = websocket
        asyncio.get_running_loop().call_later(15, left_lately.pop, visit, None)
