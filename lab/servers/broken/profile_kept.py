"""profile_kept: a dictionary of plain data for each connection.

No WebSocket is in it, and it grows with each one all the same.
"""

import uuid
from datetime import UTC, datetime

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "app.state._state['profiles']"

app = FastAPI()
app.state.profiles = {}


@app.get("/online")
def online() -> list[str]:
    return [profile["user"] for profile in app.state.profiles.values()]


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    profile = {"user": user, "since": datetime.now(UTC).isoformat(), "last": ""}
    app.state.profiles[uuid.uuid4().hex] = profile  # BUG: and /online will show her for ever
    try:
        while True:
            text = await websocket.receive_text()
            profile["last"] = text[:200]
            await websocket.send_text(text)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
