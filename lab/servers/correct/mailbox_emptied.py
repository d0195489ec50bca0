"""mailbox_emptied: what is said to those who are away waits; whoever comes back gets it, and a new mailbox."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
mailboxes: dict[str, asyncio.Queue[str]] = {}
"""Of each user one."""


def new_mailbox(user: str) -> asyncio.Queue[str]:
    """In her last one's place, with all that is in that."""
    mailbox: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
    if last := mailboxes.get(user):
        while not last.empty():
            mailbox.put_nowait(last.get_nowait())
    mailboxes[user] = mailbox
    return mailbox


async def deliver(websocket: WebSocket, mailbox: asyncio.Queue[str]) -> None:
    while True:
        await websocket.send_text(await mailbox.get())


@app.websocket("/ws")
async def session(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    delivery = asyncio.create_task(deliver(websocket, new_mailbox(user)))
    try:
        while True:
            text = await websocket.receive_text()
            for each in mailboxes.values():
                if not each.full():
                    each.put_nowait(text[:200])
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)
