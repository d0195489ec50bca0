"""stream_kept: an anyio stream for each subscriber; the reader ends, and nobody takes it out of the set."""

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "subscribers"

app = FastAPI()
subscribers: set[MemoryObjectSendStream[str]] = set()


async def write(websocket: WebSocket, inbox: MemoryObjectReceiveStream[str]) -> None:
    while True:
        await websocket.send_text(await inbox.receive())


@app.websocket("/ws")
async def feed(websocket: WebSocket) -> None:
    await websocket.accept()
    subscriber, inbox = anyio.create_memory_object_stream[str](1000)
    subscribers.add(subscriber)  # BUG: and never removed
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(write, websocket, inbox)
            async for text in websocket.iter_text():
                for each in subscribers:
                    each.send_nowait(text)
            group.cancel_scope.cancel()
    except* (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
