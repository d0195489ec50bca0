"""dependency: a database session from a yield dependency, given back as soon as the client is gone.

The handler receives, so it returns at once, and FastAPI then runs the dependency's second half.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


class Session:
    def __init__(self) -> None:
        self.queries = 0

    def total(self) -> int:
        self.queries += 1
        return 42


pool: list[Session] = []


async def database() -> AsyncIterator[Session]:
    session = pool.pop() if pool else Session()
    try:
        yield session
    finally:
        pool.append(session)


@app.websocket("/ws")
async def dashboard(websocket: WebSocket, session: Annotated[Session, Depends(database)]) -> None:
    await websocket.accept()
    try:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            async with asyncio.timeout(1):
                await websocket.send_json({"total": session.total(), "queries": session.queries})
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
