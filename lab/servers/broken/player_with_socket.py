"""player_with_socket: a player and her score outlive the connection, and so does the socket that she had."""

from dataclasses import dataclass

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall idle early talk garbage flood crowd",
}
holder = "players[*].socket"

app = FastAPI()


@dataclass
class Player:
    name: str
    score: int = 0
    online: bool = False
    socket: WebSocket | None = None


players: dict[str, Player] = {}


@app.websocket("/ws")
async def play(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    player = players.setdefault(user, Player(user))
    player.socket, player.online = websocket, True
    try:
        while True:
            text = (await websocket.receive_text())[:200]
            player.score += len(text)
            await websocket.send_json({"text": text, "score": player.score})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        player.online = False  # BUG: and player.socket?
