"""An echo server with a heartbeat: one task for each connection."""

import asyncio
import logging
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

log = logging.getLogger("uvicorn.error")

BEAT_SECONDS = 0.5

app = FastAPI()


async def beat(websocket: WebSocket) -> None:
    """Tell the client regularly that we are here."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        with suppress(Exception):  # it may be gone
            await websocket.send_text("beat")


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "somebody") -> None:
    await websocket.accept()
    log.info("%s connected", user)
    heartbeat = asyncio.create_task(beat(websocket))
    try:
        while (text := await websocket.receive_text()) != "bye":
            await websocket.send_text(text)
        heartbeat.cancel()
    except WebSocketDisconnect as gone:
        log.info("%s gone, code %d", user, gone.code)
