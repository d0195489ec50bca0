"""shared_service: the first connection starts a service that all share and that lives on: it is nobody's orphan.

So does a cache of texts, which is bounded; neither holds anything of a connection.
"""

import asyncio
import random
from functools import lru_cache

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


class Market:
    """One price, which moves while anybody has ever asked for it."""

    def __init__(self) -> None:
        self.price = 100.0
        self.moving: asyncio.Task[None] | None = None

    def open(self) -> None:
        if self.moving is None or self.moving.done():
            self.moving = asyncio.create_task(self.move(), name="market")

    async def move(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            self.price = max(1.0, self.price + random.uniform(-1, 1))


market = Market()


@lru_cache(maxsize=256)
def symbol(text: str) -> str:
    return "".join(letter for letter in text if letter.isalpha()).upper()[:20]


@app.websocket("/ws")
async def quotes(websocket: WebSocket) -> None:
    await websocket.accept()
    market.open()
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            async with asyncio.timeout(1):
                await websocket.send_text(f"{symbol((message.get('text') or '')[:200])}: {market.price:.2f}")
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
