"""closes_first: `finally` begins with close(), which raises when the connection was lost; the cleanup comes after it.

After a clean goodbye all is well, so no test of a clean goodbye finds it.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "kill reset pause stall talk garbage flood crowd",
    "counter-is-true": "kill reset pause stall talk garbage flood crowd",
    "no-noise": "kill reset pause stall crowd",
}
holder = "connected{…}"

app = FastAPI()
connected: dict[WebSocket, str] = {}


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected[websocket] = user
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_text(f"{user}: {text[:200]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        await websocket.close()  # BUG: first what cannot fail; then this, in a try, with a timeout
        del connected[websocket]
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
