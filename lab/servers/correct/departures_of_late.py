"""departures_of_late: notes each departure, and drops the oldest of more than ten by slicing a plain list."""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
departures: list[dict[str, str]] = []


@app.get("/departures")
def latest() -> list[dict[str, str]]:
    return departures


def note(user: str, why: str) -> None:
    departures.append({"user": user, "why": why})
    del departures[:-10]


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect as end:
        note(user, f"code {end.code}")
    except KeyError:
        note(user, "a binary frame")
