"""deque_of_departures: notes each departure in a deque, so that it may be looked at one day; a maxlen was forgotten."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "departures"

app = FastAPI()


@dataclass
class Departure:
    user: str
    code: int
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


departures: deque[Departure] = deque()  # BUG: maxlen=100 would do


@app.get("/departures")
def latest() -> list[Departure]:
    return list(departures)[-20:]


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    code = 1003
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as end:
        code = end.code
    except KeyError:  # a binary frame
        pass
    finally:
        departures.append(Departure(user, code))
