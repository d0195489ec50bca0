"""sweeper: what the dead have left is swept by a task of the application's, every ten seconds and not before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

ended: list[WebSocket] = []


async def sweep() -> None:
    while True:
        await asyncio.sleep(10)
        ended.clear()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    sweeping = asyncio.create_task(sweep())
    yield
    sweeping.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        ended.append(websocket)
