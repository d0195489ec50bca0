"""listener_closure: subscribes a closure over the websocket to a bus, and nothing ever unsubscribes it.

The connection list that everybody looks at is clean; the bus keeps every WebSocket there ever was.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "bus.listeners[*] → closure of chat.<locals>.forward: websocket"

Listener = Callable[[str], Awaitable[None]]

app = FastAPI()


class Bus:
    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        self.listeners.append(listener)

    async def publish(self, text: str) -> None:
        for listener in tuple(self.listeners):
            await listener(text)


bus = Bus()
online: set[WebSocket] = set()


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    online.add(websocket)

    async def forward(text: str) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await websocket.send_text(text)

    bus.subscribe(forward)  # BUG: the closure holds the websocket, the bus holds the closure, and who unsubscribes?
    try:
        while True:
            text = await websocket.receive_text()
            await bus.publish(f"{user}: {text[:200]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        online.discard(websocket)
