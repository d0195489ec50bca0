"""metrics_down: its metrics go to a server that is down, and the log says so, whoever comes and goes."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

log = logging.getLogger("metrics")
BACKEND = ("127.0.0.1", 9)


async def push() -> None:
    while True:
        await asyncio.sleep(0.3)
        try:
            _, writer = await asyncio.open_connection(*BACKEND)
            writer.close()
        except OSError:
            log.exception("the metrics backend cannot be reached")


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    pushing = asyncio.create_task(push())
    yield
    pushing.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
