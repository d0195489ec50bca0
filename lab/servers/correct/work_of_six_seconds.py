"""work_of_six_seconds: a task of six seconds archives each visit; it holds the websocket, and ends by itself."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
archiving: set[asyncio.Task[None]] = set()


async def archive(websocket: WebSocket, lines: int) -> None:
    for _ in range(3):
        await asyncio.sleep(2)
    print(f"{websocket.url.path}: {lines} lines archived")  # noqa: T201  # as people do


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    lines = 0
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
            lines += 1
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        task = asyncio.create_task(archive(websocket, lines))
        archiving.add(task)
        task.add_done_callback(archiving.discard)
