"""Falcon: an echo."""

from falcon import WebSocketDisconnected
from falcon.asgi import App, Request, WebSocket

subject: dict[str, object] = {}
findings: dict[str, str] = {}


class Echo:
    async def on_websocket(self, _: Request, ws: WebSocket) -> None:
        try:
            await ws.accept()
            while True:
                await ws.send_text(await ws.receive_text())
        except WebSocketDisconnected:
            pass


app = App()
app.add_route("/ws", Echo())
