"""dependency_held: a database session from a yield dependency, under a handler that sleeps instead of receiving.

The dependency gives the session back when the handler returns; the handler is asleep and has not heard that it is over.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "noticed-within": "close kill quit away reset pause stall talk rejoin twins flood crowd",
    "no-orphan handler": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "stops-in-time": "stop",
}

app = FastAPI()


class Session:
    def total(self) -> int:
        return 42


pool = [Session() for _ in range(200)]


async def database() -> AsyncIterator[Session]:
    session = pool.pop()
    try:
        yield session
    finally:
        pool.append(session)


@app.websocket("/ws")
async def dashboard(websocket: WebSocket, session: Annotated[Session, Depends(database)]) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_json({"total": session.total()})
            await asyncio.sleep(600)  # BUG: ten minutes in which nothing is heard, and the session is held all along
    except (WebSocketDisconnect, RuntimeError):
        pass
