"""thread_left: starts a thread for each connection, which polls a slow sensor for ever.

No exception and no cancellation reaches a thread: somebody must tell it to stop.
"""

import threading
import time

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}

app = FastAPI()


def poll(reading: dict[str, float]) -> None:
    while True:  # BUG: until when? A threading.Event, set in the handler's finally, would do
        reading["degrees"] = 20 + time.time() % 5
        time.sleep(0.2)


@app.websocket("/ws")
async def thermometer(websocket: WebSocket) -> None:
    await websocket.accept()
    reading = {"degrees": 0.0}
    threading.Thread(target=poll, args=(reading,), daemon=True).start()
    try:
        while True:
            await websocket.receive_text()
            await websocket.send_json(reading)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
