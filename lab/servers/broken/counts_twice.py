"""counts_twice: the counter goes down in the `except` and again in the `finally`.

Ten visitors later it says -10.
"""

from types import SimpleNamespace

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"counter-is-true": "*"}

app = FastAPI()
stats = SimpleNamespace(active=0)


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    stats.active += 1
    print(f"{user} joined; active connections: {stats.active}")  # noqa: T201  # as people do
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_text(f"{user}: {text[:200]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        stats.active -= 1
    finally:
        stats.active -= 1  # BUG: once here is right; the one above was the first attempt
        print(f"{user} left; active connections: {stats.active}")  # noqa: T201  # as people do
