"""one_upstream: one TCP connection to the server behind; the first client opens it and all share it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


async def printer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The server behind: one of our own here."""
    while await reader.readline():
        pass
    writer.close()


class Spool:
    def __init__(self) -> None:
        self.address: tuple[str, int] = ("127.0.0.1", 0)
        self.writer: asyncio.StreamWriter | None = None
        self.opening = asyncio.Lock()

    async def put(self, text: str) -> None:
        async with self.opening:
            if self.writer is None:
                _, self.writer = await asyncio.open_connection(*self.address)
        self.writer.write(text.encode(errors="replace") + b"\n")


spool = Spool()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    server = await asyncio.start_server(printer, "127.0.0.1", 0)
    spool.address = server.sockets[0].getsockname()
    yield
    if spool.writer is not None:
        spool.writer.close()
    server.close()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def relay(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await spool.put(await websocket.receive_text())
            await websocket.send_text("printed")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
