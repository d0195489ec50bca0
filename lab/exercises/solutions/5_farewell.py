"""A room in which everybody hears everybody, and hears who left."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket

log = logging.getLogger("uvicorn.error")
room: set[WebSocket] = set()


async def say(text: str) -> None:
    await asyncio.gather(*(peer.send_text(text) for peer in room), return_exceptions=True)


async def report() -> None:
    while True:
        await asyncio.sleep(60)
        log.info("%d in the room", len(room))


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    reporter = asyncio.create_task(report())
    yield
    reporter.cancel()
    await asyncio.wait([reporter])


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "somebody") -> None:
    await websocket.accept()
    room.add(websocket)
    try:
        async for text in websocket.iter_text():
            await say(text)
    finally:
        room.discard(websocket)
        await say(f"{user} left")
