"""semaphore_kept: a limit of a thousand users; a place comes back after a polite goodbye, and after no other end."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"no-orphan connection": "kill quit away reset pause stall talk garbage flood crowd"}
holder = "places"

app = FastAPI()
places = asyncio.Semaphore(1000)


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await places.acquire()
    await websocket.accept()
    code = 1006
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as end:
        code = end.code
    except KeyError:  # a binary frame
        pass
    if code == 1000:  # BUG: whoever is cut off keeps her place
        places.release()
