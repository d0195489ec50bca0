"""names_in_a_list_removed: who is online, as a list of names.

One is added and one removed for each connection, whatever its close code.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
online: list[str] = []


@app.websocket("/ws")
async def who(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    online.append(user)
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            await websocket.send_json({"online": sorted(set(online)), "you_said": message.get("text")})
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        online.remove(user)
