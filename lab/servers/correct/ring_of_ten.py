"""ring_of_ten: the last ten connections, themselves and not their names, in a deque that holds ten."""

from collections import deque

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
latest: deque[WebSocket] = deque(maxlen=10)


@app.get("/admin")
def admin() -> list[str]:
    return [str(websocket.client) for websocket in latest]


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    latest.append(websocket)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
