"""upstream_transport: a relay to a line-based server; the handler drops its transport on the floor.

No variable holds it any more, and it is open all the same: the event loop waits for what the other side may send.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan socket": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "no-orphan connection": "close kill pause rejoin garbage crowd",
}


class Printer(asyncio.Protocol):
    """The server behind: it prints what it gets."""

    def data_received(self, data: bytes) -> None:
        print(len(data), "bytes for the printer")  # noqa: T201  # a printer prints


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    server = await asyncio.get_running_loop().create_server(Printer, "127.0.0.1", 0)
    app.state.printer = server.sockets[0].getsockname()
    yield
    server.close()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def relay(websocket: WebSocket) -> None:
    await websocket.accept()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, *app.state.printer)  # BUG: where is its close()?
    try:
        while True:
            text = await websocket.receive_text()
            transport.write(text.encode(errors="replace") + b"\n")
            await websocket.send_text("printed")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
