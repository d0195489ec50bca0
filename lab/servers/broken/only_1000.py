"""only_1000: cleans up after code 1000 and takes every other code for somebody else's problem.

1001 is a tab that was closed; 1005 and 1006 are what a crash or a dead network looks like.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "kill quit away reset pause stall talk garbage flood crowd",
    "counter-is-true": "kill quit away reset pause stall talk garbage flood crowd",
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
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message["code"])
            await websocket.send_text(f"{user}: {(message.get('text') or 'binary')[:200]}")
    except WebSocketDisconnect as end:
        if end.code == 1000:  # BUG: the code says why it is over, not whether
            del connected[websocket]
            print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
