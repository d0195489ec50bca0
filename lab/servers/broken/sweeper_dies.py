"""sweeper_dies: a sweeper drops what is older than 20 s.

It deletes from the dictionary that it walks, and dies of that.
Nobody awaits it, so nobody is told: from then on nothing is swept.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "left"

KEEP_SECONDS = 20
left: dict[str, tuple[str, float]] = {}


async def sweep() -> None:
    while True:
        await asyncio.sleep(5)
        for visit, (_, when) in left.items():
            if time.monotonic() - when > KEEP_SECONDS:
                del left[visit]  # BUG: RuntimeError: dictionary changed size during iteration


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    sweeping = asyncio.create_task(sweep())
    yield
    sweeping.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        left[uuid.uuid4().hex] = (user, time.monotonic())
