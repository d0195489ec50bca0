"""An echo server that counts who is connected."""

import logging

from fastapi import FastAPI, WebSocket

log = logging.getLogger("uvicorn.error")

app = FastAPI()
app.state.active = 0


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "somebody") -> None:
    await websocket.accept()
    app.state.active += 1
    log.info("%s connected; active connections: %d", user, app.state.active)
    while (text := await websocket.receive_text()) != "bye":
        await websocket.send_text(text)
    app.state.active -= 1
    log.info("%s disconnected; active connections: %d", user, app.state.active)
