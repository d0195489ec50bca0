"""anyio_streams: a stream for each member, which its context manager closes, and a task group that ends with it."""

import logging
from contextlib import suppress

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}
WRITE_SECONDS = 1.0

app = FastAPI()
log = logging.getLogger("room")
members: set[MemoryObjectSendStream[str]] = set()


def tell_all(text: str) -> None:
    for each in members:
        with suppress(anyio.WouldBlock, anyio.BrokenResourceError):
            each.send_nowait(text)


async def write(websocket: WebSocket, inbox: MemoryObjectReceiveStream[str]) -> None:
    """Whoever does not read is not waited for."""
    async for text in inbox:
        with anyio.fail_after(WRITE_SECONDS):
            await websocket.send_text(text)


@app.websocket("/ws")
async def room(websocket: WebSocket) -> None:
    await websocket.accept()
    member, inbox = anyio.create_memory_object_stream[str](100)
    members.add(member)
    log.info("active connections: %d", len(members))
    try:
        async with member, inbox, anyio.create_task_group() as group:
            group.start_soon(write, websocket, inbox)
            async for text in websocket.iter_text():
                tell_all(text[:200])
            group.cancel_scope.cancel()
    except* (WebSocketDisconnect, RuntimeError, TimeoutError, KeyError):  # KeyError: a binary frame
        pass
    finally:
        members.discard(member)
        log.info("active connections: %d", len(members))
