"""semaphore_given_back: a limit of users by `async with`: the place comes back however the block is left."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
places = asyncio.Semaphore(500)


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    if places.locked():
        await websocket.close(1013)
        return
    async with places:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
            pass
