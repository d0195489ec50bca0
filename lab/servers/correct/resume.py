"""resume: what is said while somebody is away waits for her under her token, for ten seconds and a hundred messages."""

import asyncio
import uuid

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}
KEPT_SECONDS = 10.0

app = FastAPI()
waiting: dict[str, asyncio.Queue[str]] = {}
spare: list[asyncio.Queue[str]] = []
"""Queues to be used again, empty ones, and no more than there were sessions at a time."""


def give_up(token: str) -> None:
    if queue := waiting.pop(token, None):
        while not queue.empty():
            queue.get_nowait()
        spare.append(queue)


async def deliver(websocket: WebSocket, queue: asyncio.Queue[str]) -> None:
    while True:
        await websocket.send_text(await queue.get())


@app.websocket("/ws")
async def session(websocket: WebSocket, token: str = "") -> None:
    await websocket.accept()
    token = token or uuid.uuid4().hex
    queue = waiting.setdefault(token, spare.pop() if spare else asyncio.Queue(maxsize=100))
    delivery = asyncio.create_task(deliver(websocket, queue))
    try:
        while True:
            text = await websocket.receive_text()
            for each in waiting.values():
                if not each.full():
                    each.put_nowait(text[:200])
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)
        asyncio.get_running_loop().call_later(KEPT_SECONDS, give_up, token)
