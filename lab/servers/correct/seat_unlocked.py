"""seat_unlocked: a lock for each seat, taken without `async with` and released in the handler's finally."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
seats = [asyncio.Lock() for _ in range(500)]


async def take_first_free() -> asyncio.Lock:
    seat = next(lock for lock in seats if not lock.locked())
    await seat.acquire()
    return seat


@app.websocket("/ws")
async def book(websocket: WebSocket) -> None:
    await websocket.accept()
    seat = await take_first_free()
    try:
        while True:
            await websocket.receive_text()
            await websocket.send_json({"seat": seats.index(seat), "price": 12})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        seat.release()
