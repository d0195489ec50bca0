"""cache_without_bound: functools.cache on a function of the visit's own number.

No call with it comes again, and every result stays.
"""

import uuid
from functools import cache

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood",
}
holder = "colour_of"

app = FastAPI()


@cache
def colour_of(visit: str) -> str:
    return f"#{hash(visit) & 0xFFFFFF:06x}"  # BUG: lru_cache(maxsize=…), or the handler's own variable


@app.websocket("/ws")
async def paint(websocket: WebSocket) -> None:
    await websocket.accept()
    visit = uuid.uuid4().hex
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_json({"colour": colour_of(visit), "text": text[:200]})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
