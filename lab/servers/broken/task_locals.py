"""task_locals: each connection starts a task that waits for an event which may never come.

The event holds the waiting task, the task its frame, and the frame the websocket.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "market_open._waiters[*] → task_wakeup()"

app = FastAPI()
market_open = asyncio.Event()


@app.post("/open")
async def open_market() -> None:
    market_open.set()


async def announce(websocket: WebSocket) -> None:
    await market_open.wait()
    await websocket.send_text("the market is open")


@app.websocket("/ws")
async def quotes(websocket: WebSocket) -> None:
    await websocket.accept()
    asyncio.create_task(announce(websocket))  # BUG: nobody cancels it when she leaves
    try:
        while True:
            symbol = await websocket.receive_text()
            await websocket.send_text(f"{symbol[:200]}: closed")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
