"""gauge_global: counts who is online in a global integer, and counts down on a clean close only."""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"no-orphan connection": "kill quit away reset pause stall talk garbage flood crowd"}
holder = "online"

app = FastAPI()
online = 0


@app.get("/metrics")
def metrics() -> dict[str, int]:
    return {"websockets_online": online}


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    global online  # noqa: PLW0603  # as people do
    await websocket.accept()
    online += 1
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as end:
        if end.code == 1000:  # BUG: the gauge only ever rises
            online -= 1
    except KeyError:  # a binary frame
        pass
