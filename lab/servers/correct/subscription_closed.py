"""subscription_closed: a TCP connection to another server for each client, closed in the handler's finally."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


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
async def feed(websocket: WebSocket) -> None:
    await websocket.accept()
    reader, writer = await asyncio.open_connection(*app.state.redis)
    try:
        while True:
            text = await websocket.receive_text()
            writer.write(b"PUBLISH\r\n")
            await reader.readline()
            await websocket.send_text(text)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        writer.close()
