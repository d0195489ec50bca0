"""cached_method: functools.cache on a method.

Its first argument is self, and so the cache of the class keeps each session.
"""

from functools import cache

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood",
}
holder = "Session.permissions"

app = FastAPI()


class Session:
    def __init__(self, user: str) -> None:
        self.user = user

    @cache  # noqa: B019  # BUG: ruff says it: the cache outlives every session
    def permissions(self, room: str) -> frozenset[str]:
        return frozenset({"read", "write"} if room == "lobby" else {"read"})


@app.websocket("/ws")
async def talk(websocket: WebSocket, user: str = "anonymous", room: str = "lobby") -> None:
    await websocket.accept()
    session = Session(user)
    try:
        while True:
            text = await websocket.receive_text()
            if "write" in session.permissions(room):
                await websocket.send_text(f"{session.user}: {text[:200]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
