"""mailbox_taken: what is said waits for those who are away. Whoever comes back takes her mailbox with her."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
waiting: dict[str, asyncio.Queue[str]] = {}
"""The mailboxes of those who are away; of each user one."""


async def deliver(websocket: WebSocket, mailbox: asyncio.Queue[str]) -> None:
    while True:
        await websocket.send_text(await mailbox.get())


@app.websocket("/ws")
async def session(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    mailbox = waiting.pop(user, None) or asyncio.Queue(maxsize=100)
    delivery = asyncio.create_task(deliver(websocket, mailbox))
    try:
        while True:
            text = await websocket.receive_text()
            for each in (mailbox, *waiting.values()):
                if not each.full():
                    each.put_nowait(text[:200])
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)
        waiting[user] = mailbox
