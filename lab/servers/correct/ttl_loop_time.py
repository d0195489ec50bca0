"""ttl_loop_time: one timer for all, by loop.time().

It is set for the oldest of those who left, and set anew for the next.
"""

import asyncio
from collections import deque

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

KEEP_SECONDS = 12.0

app = FastAPI()


class Attic:
    def __init__(self) -> None:
        self.kept: deque[tuple[float, WebSocket]] = deque()

    def keep(self, websocket: WebSocket) -> None:
        loop = asyncio.get_running_loop()
        self.kept.append((loop.time() + KEEP_SECONDS, websocket))
        if len(self.kept) == 1:
            loop.call_at(self.kept[0][0], self.tidy)

    def tidy(self) -> None:
        loop = asyncio.get_running_loop()
        while self.kept and self.kept[0][0] <= loop.time():
            self.kept.popleft()
        if self.kept:
            loop.call_at(self.kept[0][0], self.tidy)


attic = Attic()


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        attic.keep(websocket)
