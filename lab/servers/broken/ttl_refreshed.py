"""ttl_refreshed: sessions expire 20 s after they were last used, and looking whether one has expired uses it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "store.sessions"


class Store:
    ttl = 20.0

    def __init__(self) -> None:
        self.sessions: dict[str, tuple[str, float]] = {}

    def put(self, token: str, user: str) -> None:
        self.sessions[token] = (user, time.time())

    def get(self, token: str) -> tuple[str, float]:
        user, used = self.sessions[token]
        self.sessions[token] = (user, time.time())  # BUG: the sweeper comes by here as well
        return user, used

    async def sweep(self) -> None:
        while True:
            await asyncio.sleep(10)
            for token in tuple(self.sessions):
                if time.time() - self.get(token)[1] > self.ttl:
                    del self.sessions[token]


store = Store()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    sweeping = asyncio.create_task(store.sweep())
    yield
    sweeping.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    store.put(uuid.uuid4().hex, user)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
