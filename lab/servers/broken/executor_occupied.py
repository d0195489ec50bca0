"""executor_occupied: a job in the shared executor watches something for each client until its flag is set.

A dead client's never is.
When all the executor's threads watch for the dead, the next job waits for ever.
"""

import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}

watchers = ThreadPoolExecutor(max_workers=1000, thread_name_prefix="watch")
shutdown = threading.Event()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    shutdown.set()
    watchers.shutdown()


app = FastAPI(lifespan=lifespan)


def watch(stopped: threading.Event) -> None:
    while not stopped.wait(0.2) and not shutdown.is_set():
        pass  # a look at the sensor


@app.websocket("/ws")
async def sensor(websocket: WebSocket) -> None:
    await websocket.accept()
    stopped = threading.Event()
    watchers.submit(watch, stopped)
    try:
        async for text in websocket.iter_text():
            await websocket.send_text(text)
            if '"stop"' in text:
                break
        else:
            return  # BUG: the client is gone, and her job is not told
        stopped.set()
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        stopped.set()
