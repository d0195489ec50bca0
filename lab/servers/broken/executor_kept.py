"""executor_kept: an executor of one thread for each connection, so that its messages are worked on in order.

It is never shut down.
"""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "workers[*]"

app = FastAPI()
workers: dict[int, ThreadPoolExecutor] = {}
numbers = count(1)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


@app.websocket("/ws")
async def hashes(websocket: WebSocket) -> None:
    await websocket.accept()
    worker = workers[next(numbers)] = ThreadPoolExecutor(max_workers=1)  # BUG: shutdown() and del, in a finally
    loop = asyncio.get_running_loop()
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_text(await loop.run_in_executor(worker, digest, text))
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
