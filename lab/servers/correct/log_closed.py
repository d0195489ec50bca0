"""log_closed: a log file for each connection, in a `with`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with TemporaryDirectory() as folder:
        app.state.folder = Path(folder)
        yield


app = FastAPI(lifespan=lifespan)


def log_of(user: str) -> TextIO:
    folder: Path = app.state.folder
    return (folder / f"{abs(hash(user))}.log").open("a", encoding="utf-8", errors="replace")


@app.websocket("/ws")
async def dictate(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    with log_of(user) as log:
        try:
            while True:
                print(await websocket.receive_text(), file=log)
                await websocket.send_text("noted")
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
            pass
