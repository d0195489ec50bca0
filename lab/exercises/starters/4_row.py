"""An echo server that keeps a row for each session in a database."""

import logging
import os
import sqlite3
import time
from contextlib import closing

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

log = logging.getLogger("uvicorn.error")

DATABASE = os.environ.get("DATABASE", "rows.sqlite3")

app = FastAPI()


def execute(sql: str, *values: object) -> int | None:
    """Run one statement, and commit; the number of the row that it inserted."""
    with closing(sqlite3.connect(DATABASE)) as database, database:
        return database.execute(sql, values).lastrowid


execute("CREATE TABLE IF NOT EXISTS session (id INTEGER PRIMARY KEY, client TEXT, connected_at REAL, ended_at REAL)")


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "somebody") -> None:
    await websocket.accept()
    log.info("%s connected", user)
    row = execute("INSERT INTO session (client, connected_at) VALUES (?, ?)", user, time.time())
    try:
        async for text in websocket.iter_text():
            await websocket.send_text(text)
    except WebSocketDisconnect as gone:
        execute("UPDATE session SET ended_at = ? WHERE id = ?", time.time(), row)
        log.info("%s gone, code %d", user, gone.code)
