"""log_left_open: a log file for each connection, closed by a client that says goodbye."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan socket": "kill quit away reset pause stall talk garbage flood crowd",
    "no-orphan connection": "kill quit away reset pause stall talk garbage flood crowd",
}
holder = "logs"

logs: dict[int, TextIO] = {}
numbers = count(1)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with TemporaryDirectory() as folder:
        app.state.folder = Path(folder)
        yield


app = FastAPI(lifespan=lifespan)


def open_log(number: int) -> None:
    logs[number] = (app.state.folder / f"{number}.log").open("a", encoding="utf-8", errors="replace")


@app.websocket("/ws")
async def dictate(websocket: WebSocket) -> None:
    await websocket.accept()
    number = next(numbers)
    open_log(number)
    try:
        while True:
            print(await websocket.receive_text(), file=logs[number])
            await websocket.send_text("noted")
    except WebSocketDisconnect as end:
        if end.code == 1000:  # BUG: a client that died says nothing, and her file stays open
            logs.pop(number).close()
    except KeyError:  # a binary frame
        pass
