"""heartbeat: a task that sends a beat every half second, cancelled and awaited in the handler's finally.

A beat that cannot be sent ends the handler, by way of its timeout: receive() hears nothing of a peer that stalled.
"""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
connected: set[WebSocket] = set()


async def heartbeat(websocket: WebSocket, session: asyncio.Timeout) -> None:
    try:
        while True:
            await asyncio.sleep(0.5)
            async with asyncio.timeout(1):
                await websocket.send_text("heartbeat")
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        session.reschedule(0)


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected.add(websocket)
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    beating: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(None) as session:
            beating = asyncio.create_task(heartbeat(websocket, session))
            while (message := await websocket.receive())["type"] != "websocket.disconnect":
                async with asyncio.timeout(1):
                    await websocket.send_text(f"{user}: {(message.get('text') or 'something binary')[:200]}")
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
    finally:
        connected.discard(websocket)
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
        if beating is not None:
            beating.cancel()
            await asyncio.wait([beating])
