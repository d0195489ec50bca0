"""fails_fast: whatever nobody expects ends the process, for a supervisor to restart: one client's nonsense ends all."""

import json
import logging
import os

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"still-served": "garbage"}

log = logging.getLogger("fails_fast")

app = FastAPI()


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_json(json.loads(await websocket.receive_text()))
    except WebSocketDisconnect:
        log.info("gone")
    except Exception:
        log.exception("this cannot happen")
        os._exit(1)  # BUG: it takes every other session with it
