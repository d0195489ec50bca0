"""An echo server that looks at how each connection ended."""

import logging

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

log = logging.getLogger("uvicorn.error")

app = FastAPI()
room: set[WebSocket] = set()


def leave(websocket: WebSocket, user: str) -> None:
    room.discard(websocket)
    log.info("%s disconnected; active connections: %d", user, len(room))


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "somebody") -> None:
    await websocket.accept()
    room.add(websocket)
    log.info("%s connected; active connections: %d", user, len(room))
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as gone:
        if gone.code == 1000:
            log.info("%s said goodbye", user)
            leave(websocket, user)
        elif gone.code == 1006:
            log.warning("%s was lost", user)
            leave(websocket, user)
