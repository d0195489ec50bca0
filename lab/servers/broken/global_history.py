"""global_history: remembers who said what, for ever, and "who" is the websocket.

A history that grows without end is one mistake; that each line of it holds a connection is the other.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "history[*][0]"

app = FastAPI()
history: list[tuple[WebSocket, str]] = []


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    history.append((websocket, f"{user} joined"))  # BUG: a name would do; so would a deque(maxlen=100)
    try:
        while True:
            text = await websocket.receive_text()
            history.append((websocket, f"{user}: {text[:200]}"))
            mine = sum(1 for author, _ in history if author is websocket)
            await websocket.send_text(f"{history[-1][1]} (your line {mine} of {len(history)})")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
