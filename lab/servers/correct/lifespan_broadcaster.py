"""lifespan_broadcaster: one task for the whole application, started and ended by its lifespan, talks to everybody.

It belongs to no connection. Handlers only listen; a member who does not read is ended by the broadcaster.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

members: dict[WebSocket, asyncio.Timeout] = {}
latest = deque(["nothing said yet"], maxlen=1)


async def deliver(member: WebSocket, text: str) -> None:
    try:
        async with asyncio.timeout(1):
            await member.send_text(text)
    except (WebSocketDisconnect, RuntimeError):
        pass  # gone; her own handler is told
    except TimeoutError:
        if session := members.pop(member, None):
            session.reschedule(0)


async def broadcast() -> None:
    while True:
        await asyncio.sleep(0.2)
        await asyncio.gather(*(deliver(member, latest[0]) for member in tuple(members)))


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    broadcasting = asyncio.create_task(broadcast())
    yield
    broadcasting.cancel()
    await asyncio.wait([broadcasting])


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def listen(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    try:
        async with asyncio.timeout(None) as session:
            members[websocket] = session
            while (message := await websocket.receive())["type"] != "websocket.disconnect":
                latest.append(f"{user}: {(message.get('text') or 'something binary')[:200]}")
    except TimeoutError:
        pass
    finally:
        members.pop(websocket, None)
