"""descriptor_forgotten: mkstemp() returns a path and a descriptor.

The path is removed, and the descriptor was never looked at.
It is a mere number. Nothing closes it, not even the garbage collector.
"""

import tempfile
from pathlib import Path

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan socket": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}

app = FastAPI()


def scratch() -> Path:
    _, path = tempfile.mkstemp(suffix=".draft")  # BUG: the first of the two is an open file
    return Path(path)


def save(draft: Path, text: str) -> int:
    draft.write_text(text, encoding="utf-8", errors="replace")
    return draft.stat().st_size


@app.websocket("/ws")
async def edit(websocket: WebSocket) -> None:
    await websocket.accept()
    draft = scratch()
    try:
        while True:
            size = save(draft, await websocket.receive_text())
            await websocket.send_json({"saved": size})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        draft.unlink()
