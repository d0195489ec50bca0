"""cache_with_bound: lru_cache on a function of the visit's own number.

No call with it comes again, and thirty-two results stay.
"""

import uuid
from functools import lru_cache

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


@lru_cache(maxsize=32)
def colour_of(visit: str) -> str:
    return f"#{hash(visit) & 0xFFFFFF:06x}"


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
