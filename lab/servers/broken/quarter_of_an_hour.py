"""quarter_of_an_hour: a task waits a quarter of an hour for a client to come back; it holds her dead socket."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "leaving{…}"

PATIENCE_SECONDS = 15 * 60

app = FastAPI()
leaving: set[asyncio.Task[None]] = set()


async def give_up(websocket: WebSocket, user: str) -> None:
    await asyncio.sleep(PATIENCE_SECONDS)  # BUG: what for? This websocket will not be used again
    print(f"{user} did not come back to {websocket.url}")  # noqa: T201  # as people do


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        task = asyncio.create_task(give_up(websocket, user))
        leaving.add(task)
        task.add_done_callback(leaving.discard)
