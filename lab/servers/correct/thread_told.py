"""thread_told: a thread for each connection, which looks at a flag ten times a second.

The handler's finally sets it.
"""

import threading
import time

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


def poll(reading: dict[str, float], stopped: threading.Event) -> None:
    while not stopped.wait(0.1):
        reading["degrees"] = 20 + time.time() % 5


@app.websocket("/ws")
async def thermometer(websocket: WebSocket) -> None:
    await websocket.accept()
    reading = {"degrees": 0.0}
    stopped = threading.Event()
    threading.Thread(target=poll, args=(reading, stopped), daemon=True).start()
    try:
        while True:
            await websocket.receive_text()
            await websocket.send_json(reading)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        stopped.set()
