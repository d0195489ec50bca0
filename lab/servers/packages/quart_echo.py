"""Quart: an echo."""

from quart import Quart, websocket

subject: dict[str, object] = {}
findings: dict[str, str] = {}

app = Quart(__name__)


@app.websocket("/ws")
async def echo() -> None:
    while True:
        await websocket.send(await websocket.receive())
