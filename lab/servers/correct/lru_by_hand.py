"""lru_by_hand: what was last said in a visit can be looked up for the fifty latest visits.

An OrderedDict that drops its first.
"""

import uuid
from collections import OrderedDict

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


class Latest(OrderedDict[str, str]):
    size = 50

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self.size:
            self.popitem(last=False)


app = FastAPI()
said = Latest()


@app.get("/visits/{visit}")
def look(visit: str) -> str | None:
    return said.get(visit)


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    visit = uuid.uuid4().hex
    try:
        while True:
            said[visit] = (await websocket.receive_text())[:200]
            await websocket.send_text(f"{visit}: {said[visit]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
