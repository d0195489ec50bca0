"""slow_worker: one worker deals with departures, a quarter of a second for each.

Its queue is long after a crowd, and drains.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

departures: asyncio.Queue[WebSocket] = asyncio.Queue()


async def work() -> None:
    while True:
        websocket = await departures.get()
        await asyncio.sleep(0.25)
        del websocket
        departures.task_done()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    working = asyncio.create_task(work())
    yield
    working.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        departures.put_nowait(websocket)
