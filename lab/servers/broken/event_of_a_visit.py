"""event_of_a_visit: an Event by which an administrator may end a visit.

The table of them is cleaned by the administrator only.
"""

import asyncio
import uuid

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "Visits.ended"

app = FastAPI()


class Visits:
    ended: dict[str, asyncio.Event] = {}  # noqa: RUF012  # shared by all, as such tables are

    @classmethod
    def begin(cls) -> asyncio.Event:
        return cls.ended.setdefault(uuid.uuid4().hex, asyncio.Event())

    @classmethod
    def end(cls, visit: str) -> None:
        cls.ended.pop(visit).set()


@app.delete("/visits/{visit}")
async def end_visit(visit: str) -> None:
    Visits.end(visit)


@app.websocket("/ws")
async def visit(websocket: WebSocket) -> None:
    await websocket.accept()
    ended = Visits.begin()  # BUG: a visit that just ends is not taken off the table
    try:
        while not ended.is_set():
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
