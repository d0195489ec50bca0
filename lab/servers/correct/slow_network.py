"""slow_network: who leaves is struck off a list on another machine, which takes its time to say that it has."""

import asyncio
import socketserver
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


class Directory(socketserver.StreamRequestHandler):
    """The other machine: a thread of its own here, for the want of one."""

    def handle(self) -> None:
        while self.rfile.readline():
            time.sleep(1.2)
            self.wfile.write(b"OK\n")


class Machine(socketserver.ThreadingTCPServer):
    daemon_threads, request_queue_size = True, 256


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with Machine(("127.0.0.1", 0), Directory) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        app.state.directory = server.server_address
        yield
        server.shutdown()


app = FastAPI(lifespan=lifespan)


@asynccontextmanager
async def directory() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*app.state.directory)
    try:
        yield reader, writer
    finally:
        writer.close()


async def strike_off(user: str) -> None:
    async with directory() as (reader, writer):
        writer.write(f"left {user}\n".encode(errors="replace"))
        await reader.readline()


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "somebody") -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        await strike_off(user)
