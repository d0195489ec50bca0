"""An echo server that counts who is connected."""

import logging

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

log = logging.getLogger("uvicorn.error")

app = FastAPI()
app.state.active = 0


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "somebody") -> None:
    await websocket.accept()
    app.state.active += 1
    log.info("%s connected; active connections: %d", user, app.state.active)
    try:
        while (text := await websocket.receive_text()) != "bye":
            await websocket.send_text(text)
    except WebSocketDisconnect:
        pass  # the ordinary end of a session, and no error
    finally:
        app.state.active -= 1
        log.info("%s disconnected; active connections: %d", user, app.state.active)
