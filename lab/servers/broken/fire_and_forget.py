"""fire_and_forget: the heartbeat is kept in a set until it is done, as the documentation says; it is never done.

It shrugs off every failed send, and the set holds the task, its frame and the websocket in it.
"""

import asyncio
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "background{…}"

app = FastAPI()
background: set[asyncio.Task[None]] = set()


async def heartbeat(websocket: WebSocket) -> None:
    while True:
        await asyncio.sleep(0.5)
        with suppress(Exception):  # BUG: the failure was the only thing that could end it
            await websocket.send_json({"type": "heartbeat"})


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    task = asyncio.create_task(heartbeat(websocket))
    background.add(task)
    task.add_done_callback(background.discard)
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_json({"from": user, "text": text[:200]})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
