"""except_exception: the cleanup is in `except Exception`, under `iter_text`, which ends without one.

CancelledError, the other way out, is no Exception either.
"""

import logging

from fastapi import FastAPI, WebSocket

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "counter-is-true": "*",
}
holder = "connected{…}"

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("echo")

app = FastAPI()
connected: dict[WebSocket, str] = {}


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected[websocket] = user
    log.info("%s joined; active connections: %d", user, len(connected))
    try:
        async for text in websocket.iter_text():
            await websocket.send_text(f"{user}: {text[:200]}")
    except Exception:  # BUG: a disconnect just ends the loop, with no exception at all
        del connected[websocket]
        log.info("%s left; active connections: %d", user, len(connected))
