"""spins: `except Exception: continue` round receive, so that one bad message does not end the session.

After the disconnect receive raises at once, every time, and never yields: the loop spins and the server is frozen.
"""

import json

from fastapi import FastAPI, WebSocket

findings: dict[str, str] = {"still-served": "*", "stops-in-time": "stop", "closed-with": "stop"}

app = FastAPI()
connected: set[WebSocket] = set()


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected.add(websocket)
    try:
        while True:
            try:
                text = await websocket.receive_text()
                await websocket.send_text(json.dumps({"from": user, "text": text[:200]}))
            except Exception:
                continue  # BUG: WebSocketDisconnect is an Exception too
    finally:
        connected.discard(websocket)
