"""limiter_given_back: a token of an anyio limiter for each connection, released in a finally."""

import anyio
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
encoders = anyio.CapacityLimiter(500)


@app.websocket("/ws")
async def encode(websocket: WebSocket) -> None:
    await websocket.accept()
    job = object()
    await encoders.acquire_on_behalf_of(job)
    try:
        while True:
            await websocket.send_text((await websocket.receive_text()).upper())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        encoders.release_on_behalf_of(job)
