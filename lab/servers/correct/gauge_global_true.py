"""gauge_global_true: counts who is online in a global integer, up at the start and down in a finally."""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

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
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        online -= 1
