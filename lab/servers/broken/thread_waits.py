"""thread_waits: a thread for each client takes orders from a queue.

The order to stop is sent by clients that say goodbye.
"""

import queue
import threading

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"no-orphan task": "kill quit away reset pause stall talk garbage flood crowd"}

app = FastAPI()


class Plotter(threading.Thread):
    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.orders: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.drawn = 0

    def run(self) -> None:
        while self.orders.get() is not None:
            self.drawn += 1


@app.websocket("/ws")
async def plot(websocket: WebSocket) -> None:
    await websocket.accept()
    plotter = Plotter()
    plotter.start()
    try:
        while True:
            plotter.orders.put(await websocket.receive_text())
            await websocket.send_json({"drawn": plotter.drawn})
    except WebSocketDisconnect as end:
        if end.code == 1000:
            plotter.orders.put(None)  # BUG: after any other end the thread waits for ever
    except KeyError:  # a binary frame
        await websocket.close(1003)
