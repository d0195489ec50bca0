"""pool_shut_down: a pool of processes for as long as the application lives: the lifespan ends its workers."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with ProcessPoolExecutor(1) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def count(websocket: WebSocket) -> None:
    await websocket.accept()
    loop = asyncio.get_running_loop()
    try:
        while True:
            words = len((await websocket.receive_text()).split())
            await websocket.send_json({"sum": await loop.run_in_executor(app.state.pool, sum, range(words))})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
