"""The first visit: how clients find a server and speak to it, and what is said at once where they cannot."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.backends.actors import StageError
from lab.backends.processes import Processes
from lab.check import Subject
from lab.check.grading import Grader
from lab.clock import now
from lab.manners import Manners

SECONDS = 8.0
"""None of these takes more than one, alone on a machine."""

SERVER = """
import asyncio, os, pathlib, sys
from fastapi import APIRouter, Depends, FastAPI, WebSocket

def make(name):
    app, part = FastAPI(), APIRouter(prefix="/part")
    def session(ws: WebSocket):
        return ws.scope["no session"]
    if name == "rooms":
        @part.websocket("/rooms/{room}/{number:int}")
        async def rooms(ws: WebSocket, room: str, number: int):
            await echo(ws)
    elif name == "two":
        part.add_api_websocket_route("/a", echo)
        part.add_api_websocket_route("/b/{x}", echo)
    elif name == "numbers":
        part.add_api_websocket_route("/numbers/{who}", numbers)
    elif name == "dies_before":
        part.add_api_websocket_route("/ws", echo, dependencies=[Depends(session)])
    else:
        part.add_api_websocket_route("/ws", globals()[name])
    app.include_router(part, prefix="/api")
    return app

async def echo(ws: WebSocket):
    offered = ws.scope["subprotocols"]
    await ws.accept(offered[0] if offered else None)
    seen = pathlib.Path(os.environ["SEEN"]).open("a", buffering=1)
    print(ws.url.hostname, f"{ws.url.path}?{ws.url.query}", offered, ws.headers.get("x"), ws.cookies, file=seen)
    while (said := await ws.receive())["type"] == "websocket.receive":
        print(repr(said.get("bytes") or said.get("text")), file=seen)
        await ws.send({**said, "type": "websocket.send"})

async def dies_after(ws: WebSocket):
    await ws.accept()
    ws.scope["no session"]

async def numbers(ws: WebSocket, who: str):
    await ws.accept()
    int(who)
    await ws.receive()

async def never_accepts(ws: WebSocket):
    await asyncio.Event().wait()

async def refuses(ws: WebSocket):
    await ws.close(4401)

async def throws_out(ws: WebSocket):
    await ws.accept()
    await ws.close(4401, "who are you?")

async def exits(ws: WebSocket):
    os._exit(3)

async def dies_of_talk(ws: WebSocket):
    await ws.accept()
    (await ws.receive_json())["user"]

async def says_no(ws: WebSocket):
    await ws.accept()
    async for _ in ws.iter_text():
        await ws.send_json({"type": "error", "why": "log in"})

async def feed(ws: WebSocket):
    await ws.accept()
    await asyncio.Event().wait()

async def calls_back(ws: WebSocket):
    await ws.accept()
    async for said in ws.iter_text():
        await ws.send_text('{"call": 17}')
        assert await ws.receive_text() == '{"answer": 17, "by": "carol"}', "no answer"
        await ws.send_text(said)
"""


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """The file of the servers."""
    names = [*re.findall(r"^async def (\w+)", SERVER, re.MULTILINE), "rooms", "two", "dies_before"]
    made = "".join(f"{name}_app = make({name!r})\n" for name in names)
    path = tmp_path / "meets.py"
    path.write_text(SERVER + made)
    return path


class Meets:
    """First visits, timed."""

    def __init__(self, file: Path, processes: Processes) -> None:
        self.file, self.processes = file, processes
        self.seen = file.parent / "seen"

    def __call__(self, name: str, **subject: Any) -> Manners:
        """What is learned of one of the servers."""
        asked = Subject(app=f"{self.file}:{name}_app", env={"SEEN": str(self.seen)}, **subject)
        return self.of(asked)

    def of(self, subject: Subject) -> Manners:
        """What is learned of any."""
        with Grader(subject, self.processes) as grader:
            began = now()
            try:
                return grader.learn()
            finally:
                assert now() - began < SECONDS

    def why(self, name: str, **subject: Any) -> str:
        """Why nothing can be."""
        with pytest.raises(StageError) as refused:
            self(name, **subject)
        (line,) = str(refused.value).splitlines()
        return line


@pytest.fixture
def meets(server: Path, processes: Processes) -> Meets:
    return Meets(server, processes)


def line_of(text: str) -> int:
    """Where that stands, the first time."""
    return SERVER[: SERVER.index(text)].count("\n") + 1


# Where it is.


def test_the_only_route_of_an_included_router_is_found_and_its_parameters_are_filled(meets: Meets) -> None:
    assert meets("rooms").path == "/api/part/rooms/{name}/{n}"
    assert re.match(r"127\.0\.0\.1 /api/part/rooms/bob/\d+\?user=bob ", meets.seen.read_text())


def test_of_several_routes_one_must_be_named_and_all_are_said(meets: Meets) -> None:
    assert meets.why("two").endswith("with --path: /api/part/a, /api/part/b/{name}")


def test_a_path_that_is_none_of_the_routes_is_refused_with_those_that_are_known(meets: Meets) -> None:
    why = meets.why("two", path="nowhere")
    assert why.startswith("it lets nobody in at /nowhere: ")
    assert "HTTP 403; known routes: /api/part/a, /api/part/b/{name}; see --path" in why


# How it is spoken to.


def test_names_and_numbers_are_filled_in_wherever_a_handshake_has_a_place_for_them(meets: Meets) -> None:
    headers = (("X", "{name}-{n}"), ("Cookie", "who={name}; no={n}"), ("Host", "{name}.example.org"))
    meets("echo", subprotocols=("v1.{name}", "{n}"), headers=headers, query=("u={name}", "n={n}"))
    first = meets.seen.read_text().splitlines()[0]
    (number,) = re.findall(r"&n=(\d+) ", first)
    assert first == (
        f"bob.example.org /api/part/ws?u=bob&n={number} ['v1.bob', '{number}'] bob-{number} "
        f"{{'who': 'bob', 'no': '{number}'}}"
    )


def test_binary_frames_are_said_as_such_and_answers_to_them_are_heard(meets: Meets) -> None:
    manners = meets("echo", say=("hello {name}", b"\x00\xff"))
    assert (manners.talks, manners.answers, manners.spoken_to) == (True, True, True)
    said = meets.seen.read_text()
    assert "'hello bob'" in said
    assert "b'\\x00\\xff'" in said


def test_a_client_answers_what_it_is_asked(meets: Meets) -> None:
    deaf = meets("calls_back")
    assert deaf.rejection.startswith("AssertionError('no answer') at meets.py:")
    manners = meets("calls_back", replies=((r'"call": (\d+)', r'{"answer": \1, "by": "{name}"}'),))
    assert (manners.answers, manners.rejection) == (True, "")


@pytest.mark.parametrize(
    ("name", "rejection"),
    [
        ("echo", ""),
        ("feed", ""),
        ("dies_of_talk", f"KeyError('user') at meets.py:{line_of('(await ws.receive_json())')}"),
        ("says_no", '{"type":"error","why":"log in"}'),
    ],
)
def test_whether_it_was_spoken_to_in_a_way_that_it_takes_is_learned(meets: Meets, name: str, rejection: str) -> None:
    assert meets(name).rejection == rejection


# Where nobody can.


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("dies_before", line_of('return ws.scope["no session"]')),
        ("dies_after", line_of('    ws.scope["no session"]\n\nasync def numbers')),
    ],
)
def test_a_handler_that_dies_on_connect_is_said_at_once_with_its_line(meets: Meets, name: str, line: int) -> None:
    assert meets.why(name) == f"your handler dies on connect: KeyError('no session') at meets.py:{line}"


def test_one_that_dies_of_a_name_is_tried_with_a_number_before_that_is_said(meets: Meets) -> None:
    assert meets("numbers").path == "/api/part/numbers/{n}"
    why = meets.why("numbers", path="/api/part/numbers/nobody")
    assert why.startswith('your handler dies on connect: ValueError("invalid literal')


def test_a_refusal_is_said_at_once(meets: Meets) -> None:
    assert meets.why("refuses").startswith(
        "it lets nobody in at /api/part/ws: server rejected WebSocket connection: HTTP 403;"
    )


def test_whoever_is_thrown_out_before_a_word_is_told_so(meets: Meets) -> None:
    why = meets.why("throws_out")
    assert why.startswith("it hangs up on everybody who connects to /api/part/ws: 4401 who are you?; see --path")


def test_a_server_that_ends_is_said_to_have_ended(meets: Meets) -> None:
    assert meets.why("exits") == "server ended by itself (exit code 3)"


def test_a_handshake_that_cannot_be_asked_for_is_said_at_once(meets: Meets) -> None:
    why = meets.why("echo", headers=(("X", "a\r\nb"),))
    assert why.startswith("it lets nobody in at /api/part/ws: ")


def test_where_a_handler_waits_instead_of_accepting_is_said(meets: Meets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.SECONDS", 15.0)  # a handshake may take five
    waits = f"never_accepts() waits at meets.py:{line_of('await asyncio.Event().wait()')}"
    assert f"the handshake is not answered; {waits}; see --path" in meets.why("never_accepts")


OUTSIDE = """
import asyncio, os, sys
from websockets.asyncio.server import serve

async def handler(socket):
    if sys.argv[1] == "dies":
        raise KeyError("session")

async def main():
    async with serve(handler, "127.0.0.1", int(os.environ["PORT"])):
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_from_outside_a_handler_that_dies_on_connect_is_seen_to_hang_up(meets: Meets, tmp_path: Path) -> None:
    path = tmp_path / "outside.py"
    path.write_text(OUTSIDE)
    command = f"'{sys.executable}' '{path}' dies"
    with pytest.raises(StageError, match="it hangs up on everybody who connects to /ws: 1011"):
        meets.of(Subject(command=command, url="ws://127.0.0.1:{port}/ws"))
