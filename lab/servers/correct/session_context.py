"""session_context: a session is an async context manager; whatever its first half makes, its second half unmakes.

It speaks JSON, and what is not JSON is answered, not taken for an end.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("sessions")

app = FastAPI()
sessions: dict[WebSocket, str] = {}


@asynccontextmanager
async def session(websocket: WebSocket, user: str) -> AsyncIterator[None]:
    await websocket.accept()
    sessions[websocket] = user
    try:
        log.info("%s joined; active connections: %d", user, len(sessions))
        yield
    except (WebSocketDisconnect, RuntimeError, TimeoutError) as end:
        log.info("%s is gone: %r", user, end)
    finally:
        del sessions[websocket]
        log.info("%s left; active connections: %d", user, len(sessions))


async def say(websocket: WebSocket, data: dict[str, Any]) -> None:
    async with asyncio.timeout(1):
        await websocket.send_json(data)


@app.websocket("/ws")
async def talk(websocket: WebSocket, user: str = "anonymous") -> None:
    async with session(websocket, user):
        while True:
            try:
                data = await websocket.receive_json()
            except (ValueError, KeyError, RecursionError):  # KeyError: a binary frame
                await say(websocket, {"error": "JSON text, please"})
            else:
                await say(websocket, {"from": user, "data": repr(data)[:1000]})
