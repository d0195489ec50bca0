"""chat_room: everybody hears everybody; each send has its own try and its own timeout.

A dead member is her own handler's business. One who does not read would never be told: her handler is ended.
The history holds text, and not more than a hundred lines of it.
"""

import asyncio
import logging
from collections import deque

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("room")

app = FastAPI()
members: dict[WebSocket, asyncio.Timeout] = {}
history: deque[str] = deque(maxlen=100)


async def deliver(member: WebSocket, text: str) -> None:
    try:
        async with asyncio.timeout(1):
            await member.send_text(text)
    except (WebSocketDisconnect, RuntimeError):
        pass
    except TimeoutError:
        if scope := members.pop(member, None):
            scope.reschedule(0)


async def broadcast(text: str) -> None:
    history.append(text)
    await asyncio.gather(*(deliver(member, text) for member in tuple(members)))


@app.websocket("/ws")
async def room(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    try:
        async with asyncio.timeout(None) as scope:
            members[websocket] = scope
            log.info("%s joined; active connections: %d", user, len(members))
            while (message := await websocket.receive())["type"] != "websocket.disconnect":
                await broadcast(f"{user}: {(message.get('text') or 'something binary')[:200]}")
    except TimeoutError:
        log.info("%s does not read", user)
    finally:
        members.pop(websocket, None)
        log.info("%s left; active connections: %d", user, len(members))
