"""orm_session_kept: an SQLAlchemy session for each connection, in a dictionary, and nobody closes it.

Its first query took a connection out of the engine's pool; only close() or commit() gives it back.
"""

from itertools import count

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "sessions"

app = FastAPI()
engine = create_engine("sqlite://", poolclass=QueuePool, max_overflow=-1, connect_args={"check_same_thread": False})
sessions: dict[int, Session] = {}
numbers = count(1)


@app.websocket("/ws")
async def query(websocket: WebSocket) -> None:
    await websocket.accept()
    session = sessions[next(numbers)] = Session(engine)  # BUG: kept, and with it the pool's connection
    try:
        while True:
            word = await websocket.receive_text()
            length = session.scalar(text("SELECT length(:word)"), {"word": word})
            await websocket.send_json({"length": length})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
