"""The reference, in this process and on a fake socket: whatever the end, it leaves a true row and nothing else."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from sqlalchemy import insert

from lab.servers.reference.app import REACTIONS, create_app
from lab.servers.reference.presence import Ending, Presence, Row
from lab.servers.reference.reaper import Reaper
from lab.servers.reference.session import Session

Fault = Callable[[dict[str, Any]], Awaitable[None]]

SCOPE: dict[str, Any] = {"headers": [], "query_string": b"", "http_version": "1.1", "client": ("127.0.0.1", 5)}
CANCELLED = (None, "cancelled")
BOOM = {"type": "error", "error": "internal", "detail": "internal error"}


class Peer:
    """A client's end of an ASGI WebSocket. `fault` sees each message of the server first, and may raise or stall."""

    def __init__(self, app: FastAPI, user: str = "ann", fault: Fault | None = None) -> None:
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.outbox: asyncio.Queue[Any] = asyncio.Queue()
        self.fault = fault
        self.inbox.put_nowait({"type": "websocket.connect"})
        scope = {**SCOPE, "type": "websocket", "path": "/ws", "query_string": f"user={user}".encode()}
        self.task = asyncio.create_task(app(scope, self.inbox.get, self.take))
        app.state.peers.append(self)

    async def take(self, message: Any) -> None:
        if self.fault is not None:
            await self.fault(message)
        message.get("text", "").encode()  # As every real server must.
        if message["type"] != "websocket.accept" and "heartbeat" not in message.get("text", ""):
            self.outbox.put_nowait(json.loads(message["text"]) if "text" in message else message["code"])

    def say(self, text: str | None, **more: bytes) -> None:
        self.inbox.put_nowait({"type": "websocket.receive", "text": text, **more})

    def leave(self, code: int = 1000, reason: str = "") -> None:
        self.inbox.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    async def heard(self) -> Any:
        return await asyncio.wait_for(self.outbox.get(), 3)

    async def echoes(self) -> Peer:
        self.say('{"type": "echo", "text": "hi"}')
        assert await self.heard() == {"type": "echo", "text": "hi"}
        return self

    async def gone(self) -> None:
        await asyncio.wait({self.task}, timeout=3)
        assert self.task.cancelled() or self.task.exception() is None


def fails(error: Exception, kind: str = "websocket.send") -> Fault:
    async def fault(message: dict[str, Any]) -> None:
        if message["type"] == kind:
            raise error

    return fault


async def stalls(_: dict[str, Any]) -> None:
    await asyncio.Event().wait()


class Twice(Session):
    async def close(self, ending: Ending) -> None:
        await super().close(ending)
        await super().close(Ending(1006, "again"))


IDLE = type("Idle", (Reaper,), {"tick": stalls})
"""Leaves the database to the sessions."""


@dataclass
class Rig:
    """The app on a database of its own, and what it left there and in the log."""

    database: Path
    caplog: pytest.LogCaptureFixture

    def play(self, script: Callable[[FastAPI], Awaitable[None]], *endings: tuple[int | None, str]) -> None:
        """Run a script in the app's lifespan. Afterwards the rows say so, and no entry, task or open row is left."""

        async def run() -> None:
            app = create_app(Twice, IDLE)
            app.state.peers = []
            async with app.router.lifespan_context(app):
                await script(app)
                await asyncio.gather(*(peer.gone() for peer in app.state.peers))
            await asyncio.sleep(0)  # no time passes: cancelled tasks are done when the loop has turned once
            assert app.state.manager.count == 0
            assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(run())
        assert self.select("code, reason") == list(endings)
        assert (None,) not in self.select("ended_at")
        assert self.lines("active connections: ")[-1][1].endswith(" 0")

    def select(self, columns: str) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as connection:
            return list(connection.execute(f"SELECT {columns} FROM session ORDER BY client, id"))

    def lines(self, part: str) -> list[tuple[int, str]]:
        said = [(one.levelno, one.getMessage()) for one in self.caplog.records if one.name == "reference"]
        return [one for one in said if part in one[1]]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Rig:
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'presence.sqlite3'}")
    monkeypatch.setattr("lab.servers.reference.session.SEND_SECONDS", 0.05)
    caplog.set_level(logging.INFO, logger="reference")
    return Rig(tmp_path / "presence.sqlite3", caplog)


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1009, 1011, 1012, 3000, 4001])
def test_every_code_gets_its_own_line_and_its_row_even_if_closed_twice(rig: Rig, code: int) -> None:
    async def script(app: FastAPI) -> None:
        (await Peer(app).echoes()).leave(code, "why")

    rig.play(script, (code, "why"))
    level = logging.INFO if code in (1000, 1001, 1005, 1012) else logging.WARNING
    meaning = REACTIONS[code][1] if code < 3000 else "disconnect"
    assert rig.lines("gone: ") == [(level, f"ann gone: code={code} reason='why': {meaning}")]
    assert [line[-1] for _, line in rig.lines("active connections: ")] == ["1", "0"]


SOCKETS: dict[str, tuple[list[Any], Fault | None]] = {
    "healthy": ([BOOM, 1011], None),
    "gone": ([], fails(OSError())),
    "closed, as uvicorn says it": ([], fails(RuntimeError())),
    "gone before the close": ([BOOM], fails(RuntimeError(), "websocket.close")),
    "stalled": ([], stalls),
}


@pytest.mark.parametrize("socket", SOCKETS)
def test_a_bug_ends_in_1011_and_one_cleanup_whatever_the_socket_does(rig: Rig, socket: str) -> None:
    async def script(app: FastAPI) -> None:
        peer = await Peer(app).echoes()
        apology, peer.fault = SOCKETS[socket]
        peer.say('{"type": "bug"}')
        await peer.gone()
        assert [peer.outbox.get_nowait() for _ in range(peer.outbox.qsize())] == apology

    rig.play(script, (1011, "internal error"))
    assert [level for level, _ in rig.lines("the handler failed")] == [logging.ERROR]
    assert len(rig.lines("ann disconnected")) == 1


GARBAGE = {
    "bad-json": ("{", "9" * 5000, "[" * 200_000),  # Python declines the last two with other exceptions.
    "bad-shape": ("[1,2]", '{"type": "nope"}', '{"type": "echo", "text": 5}', r'{"type": "echo", "text": "\ud800"}'),
    "not-text": (None,),
}


def test_garbage_is_answered_and_the_session_lives_on(rig: Rig) -> None:
    async def script(app: FastAPI) -> None:
        peer = await Peer(app).echoes()
        for error, texts in GARBAGE.items():
            for text in texts:
                peer.say(text, bytes=b"\xff")
                assert (await peer.heard())["error"] == error
        peer.inbox.put_nowait({"type": "websocket.receive", "bytes": b"\xff"})
        assert (await peer.heard())["error"] == "not-text"
        (await peer.echoes()).leave()

    rig.play(script, (1000, ""))


@pytest.mark.parametrize("error", [OSError(), RuntimeError("uvicorn closed it")], ids=repr)
@pytest.mark.parametrize("beat", [60, 0.005], ids=["handler", "heartbeat"])
def test_the_true_code_survives_a_failed_send(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, beat: float, error: Exception
) -> None:
    async def script(app: FastAPI) -> None:
        async def fault(message: dict[str, Any]) -> None:
            tried.set()
            await fails(error)(message)

        tried = asyncio.Event()
        peer = await Peer(app).echoes()
        peer.fault = fault
        if beat < 1:  # the heartbeat is to be the first to send; else that is left to the handler
            await tried.wait()
        peer.say('{"type": "echo"}')
        peer.leave(1001, "bye")

    monkeypatch.setattr("lab.servers.reference.heartbeat.BEAT_SECONDS", beat)
    rig.play(script, (1001, "bye"))
    assert rig.lines("code=1001 reason='bye'")
    assert not rig.lines("failed")


@pytest.mark.parametrize("when", ["accept", "insert", "update", 0, 1, 2, 3, 50])
def test_whenever_it_is_cancelled_the_row_is_closed(rig: Rig, monkeypatch: pytest.MonkeyPatch, when: str | int) -> None:
    """At one step, or so many turns of the loop after the insert: the last ones find it receiving."""

    async def script(app: FastAPI) -> None:
        def cancel(turns: int = 0) -> object:
            return asyncio.get_running_loop().call_soon(cancel, turns - 1) if turns else peer.task.cancel()

        async def fault(_: dict[str, Any]) -> None:
            if when == "accept":
                cancel()

        async def execute(presence: Presence, statement: Any) -> list[Any]:
            if when == ("insert" if statement.is_insert else "update"):
                cancel()
                await asyncio.wait({peer.task})  # the handler is gone, and the lifespan is ending
            rows = await original(presence, statement)
            if statement.is_insert and isinstance(when, int):
                cancel(when)
            return rows

        original = Presence.execute
        monkeypatch.setattr(Presence, "execute", execute)
        peer = Peer(app, fault=fault)
        if when == "update":
            peer.leave(1001)
        await peer.gone()
        assert peer.task.cancelled()

    rig.play(script, (1001, "") if when == "update" else CANCELLED)


def test_neither_a_dead_member_nor_a_stalled_one_costs_anybody_else_the_broadcast(rig: Rig) -> None:
    async def script(app: FastAPI) -> None:
        dead, lea, stalled, tom = [await Peer(app, name).echoes() for name in ("dead", "lea", "stalled", "tom")]
        dead.fault, stalled.fault = fails(OSError()), stalls
        for text in ("one", "two"):
            tom.say(json.dumps({"type": "broadcast", "text": text}))
            for peer in (tom, lea):
                assert await peer.heard() == {"type": "broadcast", "from": "tom", "text": text}
        await stalled.gone()
        dead.leave(1006)
        for peer in (tom, lea):
            (await peer.echoes()).leave()

    rig.play(script, (1006, ""), (1000, ""), (1008, "does not read"), (1000, ""))


def test_the_end_of_one_session_leaves_the_same_users_other_alone_and_health_counts(rig: Rig) -> None:
    async def health(app: FastAPI) -> Any:
        said: asyncio.Queue[Any] = asyncio.Queue()
        await app({**SCOPE, "type": "http", "method": "GET", "path": "/health"}, stalls, said.put)  # type: ignore[arg-type]
        return said.get_nowait()["status"], json.loads(said.get_nowait()["body"])["active"]

    async def script(app: FastAPI) -> None:
        old, new = await Peer(app).echoes(), await Peer(app).echoes()
        assert await health(app) == (200, 2)
        old.leave(1001)
        await old.gone()
        assert await health(app) == (200, 1)
        assert rig.select("code") == [(1001,), (None,)]
        (await new.echoes()).leave()
        await new.gone()
        assert await health(app) == (200, 0)

    rig.play(script, (1001, ""), (1000, ""))


def test_the_reaper_closes_what_another_boot_left_and_renews_only_what_is_its_own_and_open(rig: Rig) -> None:
    now = time.time()

    async def run() -> None:
        presence = Presence()
        async with presence.opened():
            other, mine = "another boot", presence.boot_id
            for boot, lease, ended in ((other, -1, 0), (other, 60, 0), (other, -1, 1), (mine, -1, 0), (mine, -1, 1)):
                row = {"client": "ann", "boot_id": boot, "lease_until": now + lease, "ended_at": now if ended else None}
                await presence.execute(insert(Row).values(row | {"connected_at": now}))
            assert await presence.reap() == ["ann"]
            await Reaper(presence).tick()

    asyncio.run(run())
    past, renewed = (None, False, False), (None, True, True)
    found = rig.select(f"reason, ended_at IS NULL, lease_until > {now}")
    assert found == [("reaped", False, False), renewed, past, renewed, past]


@pytest.mark.parametrize(
    ("origin", "let_in"),
    [
        (None, True),
        ("http://lab.example", True),
        ("https://lab.example", True),
        ("https://evil.example", False),
        ("https://lab.example.evil.example", False),
        ("https://lab.example:8443", False),
        ("null", False),
        ("https://evil.example/lab.example", False),
    ],
)
def test_a_page_of_another_site_is_not_let_in_and_a_program_is(origin: str | None, let_in: bool) -> None:
    headers = [(b"host", b"lab.example")] + ([(b"origin", origin.encode())] if origin is not None else [])
    scope: dict[str, Any] = {"type": "websocket", "path": "/ws", "query_string": b"", "headers": headers}
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.disconnect", "code": 1000} if said else {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    asyncio.run(create_app(serve=nobody_s)(scope, receive, send))
    assert said[0]["type"] == ("websocket.accept" if let_in else "websocket.close")
    assert let_in or said == [{"type": "websocket.close", "code": 1008, "reason": "another origin"}]


async def nobody_s(_websocket: WebSocket, _session: Session) -> None:
    """A session in which nothing is said."""
