"""by_address: one connection an address; two clients behind one router evict each other.

The second overwrites the first, who hears nothing any more; and whichever ends first removes the other.
"""

from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"counter-is-true": "*", "still-served": "*"}

app = FastAPI()
clients: dict[str, WebSocket] = {}


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    host = websocket.client.host if websocket.client else "unknown"
    clients[host] = websocket  # BUG: an address is not a client
    print(f"{user} joined; active connections: {len(clients)}")  # noqa: T201  # as people do
    try:
        while True:
            text = await websocket.receive_text()
            for client in tuple(clients.values()):
                with suppress(WebSocketDisconnect, RuntimeError):  # a dead client is her own handler's business
                    await client.send_text(f"{user}: {text[:200]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        clients.pop(host, None)  # BUG: whose?
        print(f"{user} left; active connections: {len(clients)}")  # noqa: T201  # as people do
