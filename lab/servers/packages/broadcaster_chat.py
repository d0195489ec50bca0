"""permit-broadcaster, imported as `broadcaster`: a chat room, on the backend in memory.

A task group runs the two directions, and the one that ends cancels the other: so the package's own documentation does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from broadcaster import Broadcast
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

subject: dict[str, object] = {}
# `subscribe()` unsubscribes only if its block ends without an exception, and a cancelled one does not.
# Starlette's `iter_text` is a KeyError at a binary frame.
findings = {
    "no-orphan connection": "away close crowd early flood garbage idle kill knock pause quit reset rejoin stall talk",
    "closed-with": "garbage",
}

broadcast = Broadcast("memory://")


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    async with anyio.create_task_group() as group:

        async def hear() -> None:
            async for text in websocket.iter_text():
                await broadcast.publish("chatroom", text)
            group.cancel_scope.cancel()

        group.start_soon(hear)
        async with broadcast.subscribe("chatroom") as subscriber:
            async for event in subscriber:
                await websocket.send_text(event.message)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with broadcast:
        yield


app = Starlette(routes=[WebSocketRoute("/ws", chat)], lifespan=lifespan)
