"""iter_finally: `async for ... in iter_text()`, which ends without an exception, and so the cleanup is in a finally.

A binary frame is refused, with a code: the cleanup comes first, then close(), which may fail and may stall.
"""

import asyncio
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
connected: set[WebSocket] = set()


async def hang_up(websocket: WebSocket, code: int, reason: str) -> None:
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(1):
            await websocket.close(code, reason)


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected.add(websocket)
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    code, reason = 1000, ""
    try:
        async for text in websocket.iter_text():
            async with asyncio.timeout(1):
                await websocket.send_text(f"{user}: {text}")
    except KeyError:  # what Starlette makes of a binary frame
        code, reason = 1003, "text, please"
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
    finally:
        connected.discard(websocket)
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
        await hang_up(websocket, code, reason)
