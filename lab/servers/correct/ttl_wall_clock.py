"""ttl_wall_clock: who has left is remembered for half a minute by time.time().

Whoever comes next drops those whose time is over.
"""

from time import time
from uuid import uuid4

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

KEEP_SECONDS = 30

app = FastAPI()
expires: dict[str, float] = {}


def purge() -> None:
    now = time()
    for token in [token for token, when in expires.items() if when < now]:
        del expires[token]


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    purge()
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        expires[uuid4().hex] = time() + KEEP_SECONDS
