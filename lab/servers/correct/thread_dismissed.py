"""thread_dismissed: a thread for each client takes orders from a queue; the last order, in a finally, is to stop."""

import queue
import threading

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

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
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        plotter.orders.put(None)
