"""condition_waiter: a task for each client waits on a Condition, and still waits when the client has gone."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "releases.changed._waiters[*] → task_wakeup()"

app = FastAPI()


class Releases:
    def __init__(self) -> None:
        self.changed = asyncio.Condition()
        self.latest = 1

    async def publish(self) -> None:
        async with self.changed:
            self.latest += 1
            self.changed.notify_all()

    async def newer_than(self, version: int) -> int:
        async with self.changed:
            await self.changed.wait_for(lambda: self.latest > version)
            return self.latest


releases = Releases()


@app.post("/releases")
async def release() -> None:
    await releases.publish()


async def announce(websocket: WebSocket, version: int) -> None:
    await websocket.send_json({"latest": await releases.newer_than(version)})


@app.websocket("/ws")
async def updates(websocket: WebSocket) -> None:
    await websocket.accept()
    asyncio.create_task(announce(websocket, releases.latest))  # BUG: there may be no other release
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
