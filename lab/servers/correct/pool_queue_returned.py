"""pool_queue_returned: a pool in an asyncio.Queue, lent out by a context manager, so that every loan is returned."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


class Connection:
    async def count(self, text: str) -> int:
        return len(text.split())


class Pool:
    def __init__(self, size: int) -> None:
        self.idle: asyncio.Queue[Connection] = asyncio.Queue()
        for _ in range(size):
            self.idle.put_nowait(Connection())

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        lent = await self.idle.get()
        try:
            yield lent
        finally:
            self.idle.put_nowait(lent)


app = FastAPI()
pool = Pool(200)


@app.websocket("/ws")
async def words(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        async with pool.connection() as connection:
            while True:
                await websocket.send_json({"words": await connection.count(await websocket.receive_text())})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
