"""own_ping_seconds: a beat for each client, every twenty seconds, by a PING_SECONDS that is the application's own."""

import asyncio
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

PING_SECONDS = 20

app = FastAPI()


async def beat(websocket: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await asyncio.sleep(PING_SECONDS)
            await websocket.send_text("beat")


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    beating = asyncio.create_task(beat(websocket))
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, RuntimeError, KeyError):  # KeyError: a binary frame
        pass
    finally:
        beating.cancel()
        await asyncio.wait([beating])
