"""`lab check` of a FastAPI echo: the whole command, by the clock and of the processor."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import lab
from benchmarks.figures import Figure

ECHO = """
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass
"""


def figures(rounds: int) -> Iterator[Figure]:
    """Its default: every case, from within. That a binary frame kills its handler is a violation, as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "echo.py").write_text(ECHO)
        costs = [lab("check", "echo:app", cwd=Path(folder), good=(0, 1)) for _ in range(max(1, rounds // 2))]
    wall, processor = tuple(one.wall for one in costs), tuple(one.processor for one in costs)
    yield Figure("check", "lab check of a FastAPI echo, whole command", "s", wall)
    yield Figure("check_cpu", "lab check of a FastAPI echo, seconds of the processor", "s", processor)
