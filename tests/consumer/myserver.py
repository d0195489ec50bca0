"""Two chat servers: `app` forgets whoever leaves; `leaky` forgets only those who say goodbye with 1000."""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
members: set[WebSocket] = set()


@app.websocket("/ws")
async def tidy(websocket: WebSocket) -> None:
    await websocket.accept()
    members.add(websocket)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass
    finally:
        members.discard(websocket)


leaky = FastAPI()
regulars: dict[str, WebSocket] = {}


@leaky.websocket("/ws")
async def forgetful(websocket: WebSocket, user: str) -> None:
    await websocket.accept()
    regulars[user] = websocket
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as gone:
        if gone.code == 1000:
            del regulars[user]
