"""rings_for_ever: a timer of each session sets itself again, and nobody cancels it when the session is over."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "a timer of the loop"

app = FastAPI()


class Reminder:
    def __init__(self, websocket: WebSocket) -> None:
        self.websocket, self.rings = websocket, 0
        self.ring()

    def ring(self) -> None:
        self.rings += 1
        asyncio.get_running_loop().call_later(5, self.ring)  # BUG: for ever


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    Reminder(websocket)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
