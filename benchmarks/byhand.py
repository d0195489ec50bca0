"""What a test by hand does, without the lab and without Docker: a server, a client, a kill, a counter polled."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from lab.clock import now
from tests.link_rig import HOST, free_port

SERVER = """
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
app = FastAPI()
active = set()

@app.get("/count")
def count() -> int:
    return len(active)

@app.websocket("/ws")
async def ws(websocket: WebSocket) -> None:
    await websocket.accept()
    active.add(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        active.discard(websocket)
"""
CLIENT = "import sys, websockets.sync.client as c\nwith c.connect(sys.argv[1], proxy=None) as ws: ws.recv()\n"


def handwritten(folder: Path) -> tuple[float, float]:
    """Seconds: all of it; with the server kept."""
    (folder / "app.py").write_text(SERVER)
    port = free_port()
    url = f"http://{HOST}:{port}/count"
    before = now()
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(command, cwd=folder) as server:
        poll(url, 0)
        ready = now()
        with subprocess.Popen(
            [sys.executable, "-c", CLIENT, f"ws://{HOST}:{port}/ws"], stderr=subprocess.DEVNULL
        ) as client:
            poll(url, 1)
            client.kill()
            poll(url, 0)
        killed = now()
        server.kill()
    return now() - before, killed - ready


def poll(url: str, want: int) -> None:
    """Ask until it counts so many."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if int(answer.read()) == want:
                    return
        except OSError:
            pass
        time.sleep(0.005)  # as a test by hand would: over HTTP a server can only be asked again
