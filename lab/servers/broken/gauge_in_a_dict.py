"""gauge_in_a_dict: statistics in a dictionary.

Who is cut off without a close code is expected back, and so is not counted down.
She does come back. Then she is counted once more.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect, status

findings: dict[str, str] = {"no-orphan connection": "kill reset pause stall talk garbage flood crowd"}
holder = "stats['online']"

app = FastAPI()
stats = {"online": 0, "messages": 0}


@app.get("/stats")
def report() -> dict[str, int]:
    return stats


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    stats["online"] += 1
    code = status.WS_1006_ABNORMAL_CLOSURE
    try:
        while True:
            text = await websocket.receive_text()
            stats["messages"] += 1
            await websocket.send_text(f"{stats['messages']}: {text}")
    except WebSocketDisconnect as end:
        code = end.code
    except KeyError:  # a binary frame
        pass
    if code not in (status.WS_1005_NO_STATUS_RCVD, status.WS_1006_ABNORMAL_CLOSURE):  # BUG: she is gone all the same
        stats["online"] -= 1
