"""cached_socket: an lru_cache on a helper whose argument is the websocket.

The cache is a module-level container like any other, and nobody thinks of it as one.
"""

from functools import lru_cache

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood",
}
holder = "channel_of[*]"

app = FastAPI()


class Channel:
    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.sent = 0

    async def say(self, text: str) -> None:
        self.sent += 1
        await self.websocket.send_text(f"{self.sent}: {text[:200]}")


@lru_cache(maxsize=1024)
def channel_of(websocket: WebSocket) -> Channel:
    return Channel(websocket)  # BUG: the cache keeps the last 1024 websockets and their channels


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            await channel_of(websocket).say(text)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
