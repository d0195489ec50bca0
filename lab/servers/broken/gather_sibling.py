"""gather_sibling: gather() of a reader and a writer; the reader ends with the connection, the writer does not.

gather() passes the first exception on and leaves its other tasks running, for ever if nothing fails in them.
"""

import asyncio
from collections import deque
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}

app = FastAPI()
connected: set[WebSocket] = set()


async def read(websocket: WebSocket, outbox: deque[str]) -> None:
    while True:
        outbox.append(f"you said {(await websocket.receive_text())[:200]}")


async def write(websocket: WebSocket, outbox: deque[str]) -> None:
    while True:
        await asyncio.sleep(0.05)
        while outbox:
            text = outbox.popleft()
            with suppress(WebSocketDisconnect, RuntimeError):  # that she is gone is for read() to say
                await websocket.send_text(text)


@app.websocket("/ws")
async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    connected.add(websocket)
    outbox: deque[str] = deque()
    try:
        await asyncio.gather(read(websocket, outbox), write(websocket, outbox))  # BUG: who ends write()?
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        connected.discard(websocket)
