"""condition_left: a task for each client waits on a Condition, and is cancelled when the client goes."""

import asyncio
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
changed = asyncio.Condition()
versions = [1]


@app.post("/releases")
async def release() -> None:
    async with changed:
        versions[0] += 1
        changed.notify_all()


async def announce(websocket: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            async with changed:
                await changed.wait()
            await websocket.send_json({"latest": versions[0]})


@app.websocket("/ws")
async def updates(websocket: WebSocket) -> None:
    await websocket.accept()
    announcing = asyncio.create_task(announce(websocket))
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, RuntimeError, KeyError):  # KeyError: a binary frame
        pass
    finally:
        announcing.cancel()
        await asyncio.wait([announcing])
