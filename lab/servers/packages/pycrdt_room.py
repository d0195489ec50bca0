"""pycrdt-websocket: a room for one document. What clients say is an awareness message, which goes to everybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pycrdt.websocket import ASGIServer, WebsocketServer
from starlette.applications import Starlette
from starlette.routing import Mount

subject: dict[str, object] = {
    "path": "/room",
    "say": (bytes.fromhex("011c01f9b4ced4e5bba40c01117b2275736572223a2268616e677570227d"),),
}
# A text frame is a KeyError in `ASGIWebsocket.recv`.
findings = {"closed-with": "garbage"}
# A send to somebody who is just gone ends the handler of whoever spoke: it is in the speaker's task group.
sometimes = {"still-served": "*", "no-noise": "*"}

rooms = WebsocketServer()


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with rooms:
        yield


app = Starlette(routes=[Mount("/", ASGIServer(rooms))], lifespan=lifespan)
