"""pool_queue: connections to a database, pooled in an asyncio.Queue.

Taken on connect, returned on a clean close only.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"no-orphan connection": "kill quit away reset pause stall talk garbage flood crowd"}
holder = "pool"


class Connection:
    async def count(self, text: str) -> int:
        return len(text.split())


pool: asyncio.Queue[Connection] = asyncio.Queue()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    for _ in range(1000):
        pool.put_nowait(Connection())
    yield


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def words(websocket: WebSocket) -> None:
    await websocket.accept()
    connection = await pool.get()
    try:
        while True:
            await websocket.send_json({"words": await connection.count(await websocket.receive_text())})
    except WebSocketDisconnect as end:
        if end.code == 1000:  # BUG: and 1001, 1005, 1006?
            pool.put_nowait(connection)
    except KeyError:  # a binary frame
        await websocket.close(1003)
