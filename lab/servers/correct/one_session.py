"""one_session: a user has one session; the newcomer closes the one before with 4001, and knows it until she leaves."""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
session_of: dict[str, WebSocket] = {}


@app.websocket("/ws")
async def session(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    before = session_of.get(user)
    session_of[user] = websocket
    try:
        if before is not None:
            await before.close(4001, "another session began")
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, RuntimeError, KeyError):  # RuntimeError: closed by the next one; KeyError: binary
        pass
    finally:
        if session_of.get(user) is websocket:
            del session_of[user]
