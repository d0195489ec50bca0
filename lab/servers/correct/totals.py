"""totals: counters that only ever rise, as totals do: connections, messages, and ends by their close code."""

from collections import Counter
from typing import ClassVar

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


class Totals:
    connections = 0
    messages = 0
    ends: ClassVar[Counter[int]] = Counter()


@app.get("/metrics")
def metrics() -> dict[str, object]:
    return {"connections": Totals.connections, "messages": Totals.messages, "ends": Totals.ends}


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    Totals.connections += 1
    code = 1003
    try:
        while True:
            text = await websocket.receive_text()
            Totals.messages += 1
            await websocket.send_text(text)
    except WebSocketDisconnect as end:
        code = end.code
    except KeyError:  # a binary frame
        pass
    finally:
        Totals.ends[code] += 1
