"""same_user_twice: one connection a user; a second tab overwrites the first, and closing the first removes the second.

A page that is reloaded is enough: the new connection comes before the old one's end.
"""

from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"counter-is-true": "rejoin", "still-served": "rejoin"}

app = FastAPI()
connected: dict[str, WebSocket] = {}


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected[user] = websocket  # BUG: a user is not a connection
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    try:
        while True:
            text = await websocket.receive_text()
            for member in tuple(connected.values()):
                with suppress(WebSocketDisconnect, RuntimeError):  # a dead member is her own handler's business
                    await member.send_text(f"{user}: {text[:200]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        connected.pop(user, None)  # BUG: whose?
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do
