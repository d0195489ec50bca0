"""iter_then_except: `async for ... in iter_json()` with the cleanup in `except WebSocketDisconnect`.

iter_json() catches that exception itself and ends the loop; the line below it, where control goes, is empty.
"""

from json import JSONDecodeError

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "connected{…}"

app = FastAPI()
connected: dict[WebSocket, str] = {}


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected[websocket] = user
    try:
        async for data in websocket.iter_json():
            await websocket.send_json({"from": user, "data": str(data)[:200]})
    except (JSONDecodeError, KeyError):  # KeyError: a binary frame
        await websocket.close(1003, "JSON, please")
        del connected[websocket]
    except WebSocketDisconnect:
        del connected[websocket]  # BUG: nearly never reached; a `finally` would be
