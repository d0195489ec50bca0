"""waits_for_all: handlers run until the application shuts down, and the shutdown waits for the handlers.

uvicorn runs the lifespan's second half after the last handler has returned, so the event is never set. A cancellation
is swallowed along with the timeouts, and a failed send is no reason to stop.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "noticed-within": "close kill quit away reset pause stall talk rejoin twins flood crowd",
    "no-orphan handler": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "stops-in-time": "stop",
}

shutdown = asyncio.Event()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    shutdown.set()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def clock(websocket: WebSocket) -> None:
    await websocket.accept()
    seconds = 0
    while not shutdown.is_set():
        with suppress(WebSocketDisconnect, RuntimeError):
            await websocket.send_text(f"{seconds} s")
        seconds += 1
        try:
            await asyncio.wait_for(shutdown.wait(), 1)
        except (TimeoutError, asyncio.CancelledError):
            continue  # BUG: neither her end nor a cancellation ends this
