"""child_a_message: a child process for each message, which ends by itself when it has answered."""

import asyncio
from asyncio.subprocess import PIPE

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
at_once = asyncio.Semaphore(4)


async def count_words(text: str) -> int:
    async with at_once:
        child = await asyncio.create_subprocess_exec("wc", "-w", stdin=PIPE, stdout=PIPE)
        out, _ = await child.communicate(text.encode(errors="replace"))
        return int(out)


@app.websocket("/ws")
async def words(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_json({"words": await count_words((await websocket.receive_text())[:1000])})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
