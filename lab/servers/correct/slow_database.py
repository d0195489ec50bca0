"""slow_database: the last visit is written over the network, which takes more than a second, and may take ten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


async def database(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    await asyncio.sleep(1.2)
    writer.write(b"OK\n")
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with await asyncio.start_server(database, "127.0.0.1", 0) as server:
        app.state.database = server.sockets[0].getsockname()
        yield


app = FastAPI(lifespan=lifespan)


async def save_last_visit() -> None:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(*app.state.database)
        writer.write(b"UPDATE visits\n")
        await reader.readline()
        writer.close()


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        await save_last_visit()
