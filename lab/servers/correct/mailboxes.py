"""mailboxes: what is said to somebody who is away waits for her. Of each user a mailbox is kept, and no connection."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
mailboxes: dict[str, asyncio.Queue[str]] = {}


async def deliver(websocket: WebSocket, mailbox: asyncio.Queue[str]) -> None:
    while True:
        await websocket.send_text(await mailbox.get())


@app.websocket("/ws")
async def session(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    mailbox = mailboxes.setdefault(user, asyncio.Queue(maxsize=100))
    delivery = asyncio.create_task(deliver(websocket, mailbox))
    try:
        while True:
            text = await websocket.receive_text()
            if not mailbox.full():
                mailbox.put_nowait(text[:200])
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)
