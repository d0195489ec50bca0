"""child_kept: a child process for each client, through which every line goes; it is never told that the client left."""

import asyncio
from asyncio.subprocess import PIPE

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "no-orphan socket": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}

app = FastAPI()


@app.websocket("/ws")
async def pipe(websocket: WebSocket) -> None:
    await websocket.accept()
    child = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        while True:
            line = (await websocket.receive_text()).replace("\n", " ")[:1000]
            child.stdin.write(line.encode(errors="replace") + b"\n")
            await websocket.send_text((await child.stdout.readline()).decode())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass  # BUG: child.terminate(), and await child.wait()
