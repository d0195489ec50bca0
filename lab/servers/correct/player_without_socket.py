"""player_without_socket: a player and her score outlive the connection; her socket does not."""

from dataclasses import dataclass, field

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


@dataclass
class Player:
    name: str
    score: int = 0
    sockets: list[WebSocket] = field(default_factory=list)


players: dict[str, Player] = {}


@app.websocket("/ws")
async def play(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    player = players.setdefault(user, Player(user))
    player.sockets.append(websocket)
    try:
        while True:
            text = (await websocket.receive_text())[:200]
            player.score += len(text)
            await websocket.send_json({"text": text, "score": player.score})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        player.sockets.remove(websocket)
