"""lets_it_escape: the cleanup is right, in a `finally`; but nobody catches WebSocketDisconnect.

Each visitor who leaves puts a traceback into the log, until nobody reads the log any more.
"""

from fastapi import FastAPI, WebSocket

findings: dict[str, str] = {
    "no-noise": "close kill quit away reset pause stall twins crowd",
    "closed-with": "garbage",
}

app = FastAPI()
connected: set[WebSocket] = set()


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected.add(websocket)
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    try:
        while True:
            text = await websocket.receive_text()  # BUG: the end of a session is no error; catch it
            await websocket.send_text(f"{user}: {text[:200]}")
    finally:
        connected.discard(websocket)
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
