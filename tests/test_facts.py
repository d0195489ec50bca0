"""What actors say: a fact a line. What is none is said to be none, and whoever is graded cannot write his own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.backends.actors import LONGEST_FACT, Actor
from lab.backends.processes import Processes
from lab.check import Subject
from lab.check.grading import Grader
from lab.timeline import Header, Timeline
from lab.verdict import Outcome

FACT = json.dumps({"at": 1.0, "what": "connected", "who": "alice", "more": 5}).encode()

RUDE = '''"""An echo that writes to every pipe it finds in its process."""

import os

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


@app.websocket("/ws")
async def echo(websocket: WebSocket):
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            for fd in map(int, os.listdir("/proc/self/fd")):
                try:
                    if fd > 2 and os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"):
                        os.write(fd, LINE)
                except OSError:
                    pass
            await websocket.send_text(text)
    except WebSocketDisconnect:
        pass
'''


class Nobody:
    """A channel that nobody reads."""

    def send(self, data: bytes) -> None:
        """Never."""

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def actor() -> Actor:
    """A server of which nothing is known yet."""
    return Actor("server", Timeline(Header("kill", "reference", "embedded", "rfc6455")), Nobody())


def heard(actor: Actor) -> list[str]:
    """What is on its timeline."""
    return [seen.what for seen in actor.timeline]


def test_a_fact_is_put_on_the_timeline_in_however_many_pieces_it_comes(actor: Actor) -> None:
    for byte in FACT + b"\n":
        actor.hear(bytes([byte]))
    (seen,) = actor.timeline
    assert (seen.source, seen.what, seen.who, seen.detail) == ("server", "connected", "alice", {"more": 5})


@pytest.mark.parametrize(
    "line",
    [
        b"no fact",
        b"",
        b"5",
        b"[1]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"at": 1}',
        b'{"at": 1, "what": "connected", "who": "alice"}',
        b'{"at": true, "what": "connected", "who": "alice"}',
        b'{"at": NaN, "what": "connected", "who": "alice"}',
        b'{"at": 1.0, "what": 5, "who": "alice"}',
        b'{"at": 1.0, "what": "connected"}',
    ],
    ids=lambda line: line[:40].decode(errors="replace"),
)
def test_a_line_that_is_no_fact_is_said_to_be_none_and_the_next_is_heard(line: bytes, actor: Actor) -> None:
    actor.hear(line + b"\n" + FACT + b"\n")
    assert heard(actor) == ["garbled", "connected"]
    assert len(actor.timeline.first("garbled").text("line")) <= 80  # type: ignore[union-attr]  # it was just seen


def test_a_line_that_never_ends_is_no_fact(actor: Actor) -> None:
    actor.hear(b"x" * LONGEST_FACT)
    assert heard(actor) == []
    actor.hear(b"x")
    assert heard(actor) == ["garbled"]
    actor.hear(FACT + b"\n")
    assert heard(actor) == ["garbled", "connected"]


@pytest.mark.timeout(60)
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists a process's descriptors there")
@pytest.mark.parametrize("line", [b"no fact\n", b'{"at": 1}\n', FACT[:-9] + b"\n"], ids=str)
def test_a_server_that_writes_to_the_lab_s_pipe_gets_no_verdict(
    line: bytes, tmp_path: Path, processes: Processes
) -> None:
    (tmp_path / "rude.py").write_text(RUDE.replace("LINE", repr(line)))
    with Grader(Subject(app=str(tmp_path / "rude.py")), processes) as grader:
        report = grader.grade(("kill",))
    assert report.outcome is Outcome.UNKNOWN
    (doubt,) = [one for one in report.played[0].verdict.findings if one.whole]
    assert (doubt.who, doubt.evidence.key) == ("server", "garbled")
