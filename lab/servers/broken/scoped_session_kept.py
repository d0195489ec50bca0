"""scoped_session_kept: an async_scoped_session of SQLAlchemy's, without the remove() that its manual demands.

The registry has a session for each task that ever asked, and the task is the key.
"""

from asyncio import current_task

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood",
    "no-orphan task": "close kill pause rejoin garbage",
}
holder = "session.registry.registry[Task].sync_session._transaction._connections"

app = FastAPI()
engine = create_async_engine("sqlite+aiosqlite://", poolclass=AsyncAdaptedQueuePool, max_overflow=-1)
session = async_scoped_session(async_sessionmaker(engine), scopefunc=current_task)


@app.websocket("/ws")
async def query(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            word = await websocket.receive_text()
            length = await session.scalar(text("SELECT length(:word)"), {"word": word})
            await websocket.send_json({"length": length})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    # BUG: await session.remove()
