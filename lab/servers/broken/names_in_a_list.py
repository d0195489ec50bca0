"""names_in_a_list: who is online, as a list of names; the name is removed when somebody leaves politely."""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"no-orphan connection": "kill quit away reset pause stall talk garbage flood crowd"}
holder = "online"

app = FastAPI()
online: list[str] = []


@app.websocket("/ws")
async def who(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    online.append(user)
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        try:
            await websocket.send_json({"online": sorted(set(online)), "you_said": message.get("text")})
        except (WebSocketDisconnect, RuntimeError):
            return
    if message["code"] == 1000:  # BUG: the list has her name as often as she was cut off
        online.remove(user)
