"""room_records: the last fifty messages of each room, each a record of three fields; an empty room is dropped."""

from dataclasses import dataclass, field

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


@dataclass
class Room:
    members: set[WebSocket] = field(default_factory=set)
    records: list[dict[str, str | int]] = field(default_factory=list)


rooms: dict[str, Room] = {}


@app.websocket("/ws/{room_name}")
async def speak(websocket: WebSocket, room_name: str) -> None:
    await websocket.accept()
    room = rooms.setdefault(room_name, Room())
    room.members.add(websocket)
    try:
        while True:
            text = await websocket.receive_text()
            room.records = [*room.records[-49:], {"room": room_name, "text": text[:80], "length": len(text)}]
            await websocket.send_json(room.records[-1])
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        room.members.discard(websocket)
        if not room.members:
            rooms.pop(room_name, None)
