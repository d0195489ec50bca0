"""What the lab costs, beside what one would do instead, in one run. `python -m tests.bench`"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from lab.backends import engine
from lab.backends.docker import Docker
from lab.backends.embedded import Embedded
from lab.backends.stage import Backend
from lab.clock import now
from lab.scenario import names
from lab.servers import REFERENCE
from lab.verdict import Outcome
from tests.bench_link import measure
from tests.link_rig import HOST, free_port
from tests.playing import play, report

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
KILLS = {"embedded": 20, "docker": 10}


def handwritten(folder: Path) -> tuple[float, float]:
    """What a test by hand does: a server, a client, a kill, a counter polled. Seconds: all of it, the kill."""
    (folder / "app.py").write_text(SERVER)
    port = free_port()
    url = f"http://{HOST}:{port}/count"
    before = now()
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(command, cwd=folder) as server:
        _poll(url, 0)
        ready = now()
        with subprocess.Popen(
            [sys.executable, "-c", CLIENT, f"ws://{HOST}:{port}/ws"], stderr=subprocess.DEVNULL
        ) as client:
            _poll(url, 1)
            client.kill()
            _poll(url, 0)
        killed = now()
        server.kill()
    return now() - before, killed - ready


def _poll(url: str, want: int) -> None:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if int(answer.read()) == want:
                    return
        except OSError:
            pass
        time.sleep(0.005)  # as a test by hand would: over HTTP a server can only be asked again


def kills(backend: Backend) -> tuple[list[float], list[float], list[float]]:
    """Seconds a kill takes, and milliseconds until it is noticed and cleaned up after."""
    wall: list[float] = []
    noticed: list[float] = []
    cleaned: list[float] = []
    for _ in range(KILLS[backend.name]):
        before = now()
        played = play("kill", backend)
        wall.append(now() - before)
        assert played.verdict.outcome is Outcome.HELD, report(played)
        noticed.append(played.verdict.noticed_ms or 0.0)
        cleaned.append(played.verdict.cleaned_ms or 0.0)
    return wall, noticed, cleaned


def measure_backend(backend: Backend) -> None:
    """Print what one backend costs."""
    backend.open()
    try:
        wall, noticed, cleaned = kills(backend)
        show(f"{backend.name}: one kill, stage to tear-down, s", wall)
        show(f"{backend.name}: fault to noticed, ms", noticed)
        show(f"{backend.name}: fault to cleaned, ms", cleaned)
        before = now()
        for name in names():
            played = play(name, backend)
            assert played.verdict.outcome is Outcome.HELD, report(played)
        print(f"{backend.name + ': all ' + str(len(names())) + ' scenarios, s':<52} {now() - before:8.2f}")
    finally:
        backend.close()


def show(what: str, values: list[float]) -> None:
    """One line: median, and the range."""
    print(f"{what:<52} {statistics.median(values):8.3f}   ({min(values):.3f} to {max(values):.3f}, n={len(values)})")


def command(args: list[str], **env: str) -> float:
    """Seconds that one command line takes."""
    before = now()
    done = [sys.executable, "-m", "lab", *args]
    subprocess.run(done, env=os.environ | env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return now() - before


def times(act: Callable[[], float], count: int) -> list[float]:
    """So many measurements."""
    return [act() for _ in range(count)]


def main() -> None:
    """Measure everything; Docker only where an engine answers."""
    with tempfile.TemporaryDirectory() as folder:
        by_hand = [handwritten(Path(folder)) for _ in range(5)]
    show("by hand: server, client, kill, poll, down, s", [whole for whole, _ in by_hand])
    show("by hand, server kept: client, kill, poll, s", [kill for _, kill in by_hand])
    show(
        "lab run kill, embedded, whole command, s", times(lambda: command(["run", "kill", "--backend", "embedded"]), 5)
    )
    measure_backend(Embedded())
    found = engine.find()
    if isinstance(found, engine.Engine):
        print(f"{'lab up, images present, s':<52} {command(['up']):8.2f}")
        try:
            show(
                "lab run kill, on a lab that is up, s",
                times(lambda: command(["run", "kill", "--backend", "docker"]), 5),
            )
            measure_backend(Docker(found, REFERENCE, "rfc6455"))
        finally:
            command(["down"])
    print(measure(20.0))


if __name__ == "__main__":
    main()
