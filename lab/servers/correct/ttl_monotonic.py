"""ttl_monotonic: a session may be resumed for 20 s after its end.

A reaper drops what is older, by the monotonic clock.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

KEEP_SECONDS = 20
sessions: dict[str, tuple[WebSocket, float | None]] = {}


async def reap() -> None:
    while True:
        await asyncio.sleep(5)
        oldest = time.monotonic() - KEEP_SECONDS
        for token, (_, ended) in tuple(sessions.items()):
            if ended is not None and ended < oldest:
                del sessions[token]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    reaping = asyncio.create_task(reap())
    yield
    reaping.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def session(websocket: WebSocket) -> None:
    await websocket.accept()
    token = uuid.uuid4().hex
    sessions[token] = (websocket, None)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        sessions[token] = (websocket, time.monotonic())
