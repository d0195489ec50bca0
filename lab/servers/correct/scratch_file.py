"""scratch_file: a temporary file for each connection, which its context manager closes and removes."""

import tempfile
from typing import IO

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


def save(draft: IO[str], text: str) -> int:
    draft.seek(0)
    draft.truncate()
    return draft.write(text)


@app.websocket("/ws")
async def edit(websocket: WebSocket) -> None:
    await websocket.accept()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as draft:
        try:
            async for text in websocket.iter_text():
                await websocket.send_json({"saved": save(draft, text)})
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
            pass
