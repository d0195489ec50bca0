"""last_seen: when each user was last seen, and her settings.

State of a user and not of a connection, kept as long as she is one.
"""

from datetime import UTC, datetime

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
users: dict[str, dict[str, str]] = {}


def now() -> str:
    return datetime.now(UTC).isoformat()


@app.get("/users/{user}")
def look(user: str) -> dict[str, str] | None:
    return users.get(user)


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    settings = users.setdefault(user, {"theme": "light", "seen": now()})
    try:
        while True:
            text = await websocket.receive_text()
            settings["theme"] = "dark" if "dark" in text else "light"
            await websocket.send_json(settings)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        settings["seen"] = now()
