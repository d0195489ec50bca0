"""redis_subscription: a subscription at another server for each client; its TCP connection outlives the client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan socket": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "no-orphan task": "close kill pause rejoin garbage crowd",
}
holder = "subscriptions[*]"

subscriptions: list[asyncio.StreamWriter] = []


async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The other server: one of our own here."""
    while await reader.readline():
        writer.write(b"+OK\r\n")
    writer.close()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    server = await asyncio.start_server(redis, "127.0.0.1", 0)
    app.state.redis = server.sockets[0].getsockname()
    yield
    server.close()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def feed(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    reader, writer = await asyncio.open_connection(*app.state.redis)
    subscriptions.append(writer)  # BUG: never closed, never removed
    writer.write(f"SUBSCRIBE {user}\r\n".encode(errors="replace"))
    await reader.readline()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
