"""child_terminated: a child process for each client, terminated and waited for when the client goes."""

import asyncio
from asyncio.subprocess import PIPE
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

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
        pass
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        await child.wait()
