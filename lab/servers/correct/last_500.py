"""last_500: how long the last five hundred visits took, in a list that is cut by hand."""

import time

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
durations: list[float] = []


@app.get("/durations")
def report() -> dict[str, float]:
    return {"visits": len(durations), "longest": max(durations, default=0.0)}


@app.websocket("/ws")
async def visit(websocket: WebSocket) -> None:
    await websocket.accept()
    began = time.monotonic()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        durations.append(time.monotonic() - began)
        del durations[:-500]
