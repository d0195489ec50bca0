"""A pytest with testcontainers: server and client in containers, a kill, a counter polled, the client started again.

Where testcontainers is not installed, the same calls through the Docker SDK, on which it stands.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

IMAGE = os.environ.get("LAB_IMAGE", "hangup-lab")
SERVER = """
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
app = FastAPI()
active = set()

@app.get("/count")
def count():
    return len(active)

@app.websocket("/ws")
async def ws(websocket: WebSocket):
    await websocket.accept()
    active.add(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        active.discard(websocket)

uvicorn.run(app, host="0.0.0.0", port=8000, log_level="error")
"""
CLIENT = """
import websockets.sync.client as c
with c.connect("ws://server:8000/ws", proxy=None) as ws:
    ws.recv()
"""


def by_testcontainers() -> Iterator[tuple[str, Any]]:
    """The counter's URL, and the client's container."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.network import Network

    with Network() as network:
        server = DockerContainer(IMAGE, entrypoint=["python", "-c"], init=True).with_command([SERVER])
        server.with_exposed_ports(8000).with_network(network).with_network_aliases("server")
        client = DockerContainer(IMAGE, entrypoint=["python", "-c"], init=True).with_command([CLIENT])
        client.with_network(network)
        with server:
            url = f"http://{server.get_container_host_ip()}:{server.get_exposed_port(8000)}/count"
            poll(url, 0)
            with client:
                yield url, client.get_wrapped_container()


def by_sdk() -> Iterator[tuple[str, Any]]:
    """The same."""
    import docker

    engine = docker.from_env()
    network = engine.networks.create(f"hangup-bench-{os.getpid()}")
    started: list[Any] = []
    try:
        options: dict[str, Any] = {"entrypoint": ["python", "-c"], "init": True, "detach": True}
        options["ports"] = {"8000/tcp": ("127.0.0.1", None)}
        server = engine.containers.create(IMAGE, [SERVER], **options)
        started.append(server)
        network.connect(server, aliases=["server"])
        server.start()
        server.reload()
        bound: Any = server.ports["8000/tcp"]
        url = f"http://127.0.0.1:{bound[0]['HostPort']}/count"
        poll(url, 0)
        client = engine.containers.create(IMAGE, [CLIENT], **options | {"ports": None, "network": network.name})
        started.append(client)
        client.start()
        yield url, client
    finally:
        for one in started:
            one.remove(force=True)
        network.remove()
        engine.close()


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[str, Any]]:
    """Server and client, connected."""
    try:
        import testcontainers.core.container  # noqa: F401  # only whether it is there
    except ImportError:
        yield from by_sdk()
    else:
        yield from by_testcontainers()


def test_a_killed_client_is_forgotten(stage: tuple[str, Any]) -> None:
    """And again, as often as is asked for; each is timed, the client's return included."""
    url, client = stage
    poll(url, 1)
    took = []
    for _ in range(int(os.environ.get("BENCH_TIMES", "1"))):
        before = time.monotonic()
        client.kill()
        poll(url, 0)
        client.start()
        poll(url, 1)
        took.append(time.monotonic() - before)
    if (out := os.environ.get("BENCH_OUT")) is not None:
        Path(out).write_text(json.dumps(took))


def poll(url: str, want: int) -> None:
    """Ask until it counts so many."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if int(answer.read()) == want:
                    return
        except OSError:
            pass
        time.sleep(0.005)  # over HTTP a server can only be asked again
    raise AssertionError(f"never {want}")
