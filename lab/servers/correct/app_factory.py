"""app_factory: `create_app()` makes the application; there is no `app` to import, and the state is in app.state.

Serve it with `uvicorn --factory`.
"""

import asyncio
import logging

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

log = logging.getLogger("factory")


def create_app() -> FastAPI:
    logging.basicConfig(level=logging.INFO)
    app = FastAPI()
    connected: dict[WebSocket, str] = {}
    app.state.connected = connected

    @app.get("/health")
    def health() -> dict[str, int]:
        return {"active": len(connected)}

    @app.websocket("/ws")
    async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
        await websocket.accept()
        connected[websocket] = user
        log.info("%s joined; active connections: %d", user, len(connected))
        try:
            while (message := await websocket.receive())["type"] != "websocket.disconnect":
                async with asyncio.timeout(1):
                    await websocket.send_text(f"{user}: {message.get('text') or 'something binary'}")
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            pass
        finally:
            del connected[websocket]
            log.info("%s left; active connections: %d", user, len(connected))

    return app
