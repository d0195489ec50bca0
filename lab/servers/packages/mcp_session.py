"""mcp: a session on its WebSocket transport."""

import json

from mcp.server.lowlevel import Server
from mcp.server.websocket import websocket_server
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "{name}", "version": "1"}}

subject = {
    "subprotocols": ("mcp",),
    "say": (
        json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}),
        '{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        '{"jsonrpc": "2.0", "id": 1, "method": "ping"}',
    ),
}
# A binary frame is a KeyError in Starlette's `iter_text`, which the transport reads with.
findings = {"closed-with": "garbage"}

server: Server[None] = Server("nothing")


async def session(websocket: WebSocket) -> None:
    async with websocket_server(websocket.scope, websocket.receive, websocket.send) as (read, write):
        await server.run(read, write, server.create_initialization_options())


app = Starlette(routes=[WebSocketRoute("/ws", session)])
