"""limiter_kept: each connection borrows a token of an anyio limiter, and gives it back when its client says "bye".

Few say so: a client that dies says nothing.
"""

import json

import anyio
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "encoders"

app = FastAPI()
encoders = anyio.CapacityLimiter(1000)


def kind_of(text: str) -> str:
    try:
        message = json.loads(text)
    except ValueError:
        return "unknown"
    return str(message.get("type")) if isinstance(message, dict) else "unknown"


@app.websocket("/ws")
async def encode(websocket: WebSocket) -> None:
    await websocket.accept()
    job = object()
    await encoders.acquire_on_behalf_of(job)
    try:
        while True:
            text = await websocket.receive_text()
            if kind_of(text) == "bye":
                encoders.release_on_behalf_of(job)  # BUG: the only place where it is given back
                await websocket.close()
                return
            await websocket.send_text(text.upper())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
