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
        level = logging.INFO if gone.code in (1000, 1001, 1012) else logging.WARNING
        log.log(level, "%s gone, code %d", user, gone.code)
    finally:
        leave(websocket, user)
