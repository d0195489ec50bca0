"""seat_locked: a theatre with a lock for each seat; the seat is unlocked by the request that pays for it.

There is no `async with`, since the lock must outlive the request that takes it. It outlives the client, too.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "seats[*]"

app = FastAPI()
seats = [asyncio.Lock() for _ in range(2000)]


@app.post("/seats/{number}/paid")
async def pay(number: int) -> None:
    seats[number].release()


async def take_first_free() -> int:
    number = next(number for number, lock in enumerate(seats) if not lock.locked())
    await seats[number].acquire()
    return number


@app.websocket("/ws")
async def book(websocket: WebSocket) -> None:
    await websocket.accept()
    number = await take_first_free()  # BUG: who leaves without paying blocks it for ever
    try:
        while True:
            await websocket.receive_text()
            await websocket.send_json({"seat": number, "price": 12})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
