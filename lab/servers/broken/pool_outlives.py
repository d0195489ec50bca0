"""pool_outlives: a pool of processes that nobody shuts down: its workers wait on when the server has ended.

SIGTERM ends uvicorn without `atexit`, and so without what the pool would do there.
"""

import asyncio
from concurrent.futures import ProcessPoolExecutor

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings = {"no-orphan task": "stop"}
holder = ""

app = FastAPI()
pool = ProcessPoolExecutor(1)  # BUG: and who shuts it down?


@app.websocket("/ws")
async def count(websocket: WebSocket) -> None:
    await websocket.accept()
    loop = asyncio.get_running_loop()
    try:
        while True:
            words = len((await websocket.receive_text()).split())
            await websocket.send_json({"sum": await loop.run_in_executor(pool, sum, range(words))})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
