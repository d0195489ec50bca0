"""deaf_feed: a send-only handler that waits for its queue; nobody fills the queue of a client that is gone.

It never receives, so it is never told; and it does not send, so no send fails.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "noticed-within": "close kill quit away reset pause stall talk rejoin twins flood crowd",
    "no-orphan handler": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "stops-in-time": "stop",
}

app = FastAPI()
inboxes: dict[str, list[asyncio.Queue[str]]] = {}


@app.post("/notify/{user}")
async def notify(user: str, text: str) -> None:
    for inbox in inboxes.get(user, []):
        inbox.put_nowait(text)


@app.websocket("/ws")
async def feed(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    inbox: asyncio.Queue[str] = asyncio.Queue()
    inboxes.setdefault(user, []).append(inbox)
    try:
        await websocket.send_text(f"welcome {user}")
        while True:
            await websocket.send_text(await inbox.get())  # BUG: nothing here hears that she is gone
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        inboxes[user].remove(inbox)
