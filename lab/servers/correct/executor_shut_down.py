"""executor_shut_down: an executor of one thread for each connection, so that its messages are worked on in order.

Its `with` ends it.
"""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


@app.websocket("/ws")
async def hashes(websocket: WebSocket) -> None:
    await websocket.accept()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1) as worker:
        try:
            while True:
                text = await websocket.receive_text()
                await websocket.send_text(await loop.run_in_executor(worker, digest, text))
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
            pass
