"""socket_of_a_user: keeps each user's socket under her name, and takes it out only when she says goodbye with 1000.

Who comes back takes the place over, so that the dict is as long as there are users.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "kill quit away reset pause stall idle early talk garbage flood crowd",
}
holder = "sockets[*]"

app = FastAPI()
sockets: dict[str, WebSocket] = {}


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    sockets[user] = websocket
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as gone:
        if gone.code == 1000:  # BUG: and the others?
            del sockets[user]
    except KeyError:  # a binary frame
        pass
