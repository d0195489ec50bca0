"""subscriber_by_name: a queue for each subscriber, under her name; the end leaves it there, still written to.

It is no mailbox: when she comes back she gets a new one.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk garbage flood crowd",
}
holder = "subscribers[*]"

app = FastAPI()
subscribers: dict[str, asyncio.Queue[str]] = {}


async def write(websocket: WebSocket, inbox: asyncio.Queue[str]) -> None:
    while True:
        await websocket.send_text(await inbox.get())


@app.websocket("/ws/{name}")
async def feed(websocket: WebSocket, name: str) -> None:
    await websocket.accept()
    inbox = subscribers[name] = asyncio.Queue()  # BUG: and never removed
    writer = asyncio.create_task(write(websocket, inbox))
    try:
        async for text in websocket.iter_text():
            for each in subscribers.values():
                each.put_nowait(text)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
