"""BlackSheep: an echo."""

from blacksheep import Application, Router, WebSocket, WebSocketDisconnectError

subject: dict[str, object] = {"path": "/ws"}
findings: dict[str, str] = {}

app = Application(router=Router())


@app.router.ws("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnectError:
        pass
