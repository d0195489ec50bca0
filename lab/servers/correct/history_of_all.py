"""history_of_all: keeps whatever was ever said, in a list without a bound.

It grows with what is said, and with nobody's end.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
history: list[tuple[str, str]] = []


@app.get("/history")
def latest() -> list[tuple[str, str]]:
    return history[-100:]


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    try:
        while True:
            history.append((user, (await websocket.receive_text())[:200]))
            await websocket.send_json({"line": len(history), "text": history[-1][1]})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
