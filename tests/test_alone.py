"""A server that cannot run beside its like is graded all the same, one case at a time."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lab.backends.actors import StageError
from lab.backends.processes import Processes
from lab.check import Subject
from lab.check.grading import Grader
from lab.reports.grade import render
from lab.verdict import Outcome
from lab.words import Words

CASES = ("close", "kill", "twins")

WITH_METRICS = '''"""An echo whose process has one more port, always the same, as for metrics."""

import os
import socket
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket


@asynccontextmanager
async def lifespan(app):
    with socket.socket() as metrics:
        metrics.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        metrics.bind(("127.0.0.1", int(os.environ["METRICS_PORT"])))
        metrics.listen()
        yield


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def echo(websocket: WebSocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)
'''

ONLY_ONCE = '''"""A server that starts once, and never again."""

import os

from fastapi import FastAPI, WebSocket

os.mkdir(os.environ["LOCK"])
app = FastAPI()


@app.websocket("/ws")
async def echo(websocket: WebSocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)
'''


@pytest.fixture
def port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
    return number


@pytest.mark.timeout(120)
def test_servers_that_share_a_port_with_their_like_are_played_one_after_the_other(
    tmp_path: Path, port: int, processes: Processes
) -> None:
    server = tmp_path / "with_metrics.py"
    server.write_text(WITH_METRICS)
    subject = Subject(app=str(server), env={"METRICS_PORT": str(port)})
    with Grader(subject, processes) as grader:
        report = grader.grade(CASES)
    assert [(one.name, one.verdict.outcome) for one in report.played] == [(name, Outcome.HELD) for name in CASES]
    again = [one for one in report.played if one.again]
    assert again
    assert all("did not start" in one.again for one in again)
    assert render(report, Words("en")).plain.count("played again, with the machine to itself: ") == len(again)


@pytest.mark.timeout(120)
def test_one_that_does_not_start_alone_either_has_no_verdict(tmp_path: Path, processes: Processes) -> None:
    server = tmp_path / "only_once.py"
    server.write_text(ONLY_ONCE)
    subject = Subject(app=str(server), env={"LOCK": str(tmp_path / "lock")})
    with Grader(subject, processes) as grader, pytest.raises(StageError, match="server did not start"):
        grader.grade(CASES)
