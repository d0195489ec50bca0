"""profile_removed: plain data for each connection in app.state, removed in a finally."""

import uuid
from datetime import UTC, datetime

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
app.state.profiles = {}


@app.get("/online")
def online() -> list[str]:
    return [profile["user"] for profile in app.state.profiles.values()]


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    visit = uuid.uuid4().hex
    profile = app.state.profiles[visit] = {"user": user, "since": datetime.now(UTC).isoformat(), "last": ""}
    try:
        while True:
            profile["last"] = (await websocket.receive_text())[:200]
            await websocket.send_text(profile["last"])
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        del app.state.profiles[visit]
