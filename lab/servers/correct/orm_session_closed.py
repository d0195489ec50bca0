"""orm_session_closed: an SQLAlchemy session for the length of a connection, in a `with`.

The engine's pool gets its connection back.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

findings: dict[str, str] = {}

app = FastAPI()
engine = create_engine("sqlite://", poolclass=QueuePool, max_overflow=-1, connect_args={"check_same_thread": False})


@app.websocket("/ws")
async def query(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        with Session(engine) as session:
            while True:
                word = await websocket.receive_text()
                length = session.scalar(text("SELECT length(:word)"), {"word": word})
                await websocket.send_json({"length": length})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
