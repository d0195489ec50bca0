"""subscriber_kept: a queue for each subscriber; the writer is cancelled, and nobody takes the queue off the list."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "subscribers"

app = FastAPI()
subscribers: list[asyncio.Queue[str]] = []


async def write(websocket: WebSocket, inbox: asyncio.Queue[str]) -> None:
    while True:
        await websocket.send_text(await inbox.get())


@app.websocket("/ws")
async def feed(websocket: WebSocket) -> None:
    await websocket.accept()
    inbox: asyncio.Queue[str] = asyncio.Queue()
    subscribers.append(inbox)  # BUG: and never removed
    writer = asyncio.create_task(write(websocket, inbox))
    try:
        async for text in websocket.iter_text():
            for each in subscribers:
                each.put_nowait(text)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
