"""cache_of_users: functools.cache on a function of the user's name: one result a user, however often she comes."""

from functools import cache

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


@cache
def permissions(user: str) -> frozenset[str]:
    return frozenset({"read", "write"} if user != "anonymous" else {"read"})


@app.websocket("/ws")
async def talk(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_json({"may": sorted(permissions(user)), "text": text[:200]})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
