"""eager_heartbeat: the application makes its tasks start eagerly, where Python can.

The heartbeat of each is never cancelled.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "beating{…}"

beating: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    if sys.version_info >= (3, 12):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    yield


app = FastAPI(lifespan=lifespan)


async def beat() -> None:
    beats = 0
    while True:
        await asyncio.sleep(3600)
        beats += 1


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    beating.add(asyncio.create_task(beat()))  # BUG: never cancelled
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
