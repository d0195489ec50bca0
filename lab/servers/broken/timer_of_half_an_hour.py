"""timer_of_half_an_hour: an idle timeout of half an hour by call_later, set anew with each message and never cancelled.

The timer holds the method, the method its session, and the session the websocket.
"""

import asyncio
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "a timer of the loop"

IDLE_SECONDS = 30 * 60

app = FastAPI()


class Session:
    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.closing: asyncio.Task[None] | None = None
        self.timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.expire)

    def touch(self) -> None:
        self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.expire)  # BUG: who cancels the last?

    def expire(self) -> None:
        self.closing = asyncio.create_task(self.close())

    async def close(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await self.websocket.close(4008, "idle")


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    session = Session(websocket)
    try:
        while True:
            text = await websocket.receive_text()
            session.touch()
            await websocket.send_text(text)
    except (WebSocketDisconnect, KeyError, RuntimeError):  # KeyError: a binary frame
        pass
