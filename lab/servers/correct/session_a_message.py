"""session_a_message: an async SQLAlchemy session for each message, and none between.

Nothing is borrowed while a client is silent.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

findings: dict[str, str] = {}

app = FastAPI()
engine = create_async_engine("sqlite+aiosqlite://", poolclass=AsyncAdaptedQueuePool, max_overflow=20)
new_session = async_sessionmaker(engine)


async def length_of(word: str) -> int:
    async with new_session() as session:
        return int(await session.scalar(text("SELECT length(:word)"), {"word": word}) or 0)


@app.websocket("/ws")
async def query(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_json({"length": await length_of(await websocket.receive_text())})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
