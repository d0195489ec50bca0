"""The survey: of each size that changed it says what it is, where it is and by how much; of the others nothing."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lab.witness.applications import Application, load
from lab.witness.connections import Connections
from lab.witness.descriptors import descriptors
from lab.witness.ownership import Ownership, decide
from lab.witness.roots import Roots
from lab.witness.survey import Size, Survey
from lab.witness.tasks import Tasks

Change = dict[tuple[str, str], int]
"""By how much each size has changed that a survey speaks of."""

SHOP = """\
import asyncio, functools, os, queue, socket, subprocess, threading, weakref
from collections import deque

import anyio
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool
from starlette.applications import Starlette
from starlette.websockets import WebSocket, WebSocketDisconnect

app = Starlette()
app.state.users, app.state.online = {}, 0
rooms, log, recent, seen, ring = {"lobby": set()}, [], deque(), set(), deque(maxlen=5)
total, counts, last, many = 0, {"all": 0, "here": 0}, (), {n: n for n in range(65)}
two = [[], []]


class Hub:
    shared, made = {}, 0

    def __init__(self):
        self.online, self.mine = 0, []


class Slotted:
    __slots__ = ("number", "things")

    def __init__(self):
        self.number, self.things = 0, []


def make_keeper():
    kept = []
    return lambda thing: kept.append(thing)


def default(thing, kept=[]):
    kept.append(thing)


async def service(other, started):
    local = []
    while True:
        local.append(await other.get())
        started.set()


def begin(other, started):
    return asyncio.ensure_future(service(other, started))


async def beat():
    await asyncio.Event().wait()


def start():
    return asyncio.create_task(beat())


def start_elsewhere():
    return asyncio.ensure_future(beat(), loop=None)


async def in_vain():
    return None


@functools.lru_cache(maxsize=200)
def cached(thing):
    return thing


def stand(released):
    released.wait()


class Worker(threading.Thread):
    def __init__(self, released):
        super().__init__(daemon=True)
        self.released = released

    def run(self):
        self.released.wait()


hub, other, slotted, keep = Hub(), Hub(), Slotted(), make_keeper()
gate, between, waiting, given, simple = (
    asyncio.Semaphore(10), threading.Semaphore(10), asyncio.Queue(), queue.Queue(), queue.SimpleQueue()
)
engine = create_engine("sqlite:///shop.sqlite", poolclass=QueuePool)
sockets, held = [], []


async def serve(scope, receive, send):
    websocket = WebSocket(scope, receive, send)
    await websocket.accept()
    sockets.append(websocket)
    try:
        await websocket.receive_text()
    except WebSocketDisconnect:
        pass
"""


class Surveyed:
    """An application, and surveys of it; made on the loop."""

    def __init__(self, application: Application) -> None:
        self.loop: Any = asyncio.get_running_loop()
        self.shop: Any = application.module
        self.tasks = Tasks()
        self.tasks.watch(self.loop)
        self.connections = Connections(self.shop.serve, lambda *_: None)
        self.survey = Survey(self.connections, self.tasks, Roots(application.package, application.app))
        self.survey.port = 1  # where nobody listens

    def take(self) -> list[Size]:
        """What differs from the first."""
        return self.survey.take(self.loop)

    def changed(self) -> Change:
        """The same by what it is, and the change alone."""
        return {(one.what, one.key): one.size - (one.base or 0) for one in self.take()}


Played = Callable[[Callable[[Surveyed], Awaitable[None]]], None]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """Plays something with the application and its surveys, on a loop of its own."""
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = frozenset(sys.modules)
    application = load("shop:app")
    decide(Ownership.of(application, before))

    def playing(scene: Callable[[Surveyed], Awaitable[None]]) -> None:
        async def play() -> None:
            await scene(Surveyed(application))

        asyncio.run(play())

    try:
        yield playing
    finally:
        application.module.__dict__["engine"].dispose()
        application.module.__dict__.clear()  # the next test's has classes of the same names
        decide(None)
        del sys.modules["shop"]


def line_of(text: str) -> str:
    """`shop.py:31`."""
    return f"shop.py:{1 + next(n for n, line in enumerate(SHOP.splitlines()) if text in line)}"


def run(code: str, shop: ModuleType) -> None:
    """The application's doing."""
    exec(code, shop.__dict__)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", {}),
        ("rooms['garden'] = None", {("entries", "shop.rooms"): 1}),
        ("rooms['lobby'].add('alice')", {("entries", "shop.rooms['lobby']"): 1}),
        ("log.extend('ab')", {("listed", "shop.log"): 2}),
        ("recent.append('a')", {("listed", "shop.recent"): 1}),
        ("seen.add('a')", {("entries", "shop.seen"): 1}),
        ("Hub.shared['a'] = None", {("entries", "shop.Hub.shared"): 1}),
        ("hub.mine.append('a')", {("listed", "shop.hub.mine"): 1}),
        ("app.state.users['a'] = None", {("entries", "app.state._state['users']"): 1}),
        ("keep('a')", {("listed", "shop.keep → closure of make_keeper.<locals>.<lambda>: kept"): 1}),
        ("default('a')", {("listed", "shop.default → default of default"): 1}),
        ("slotted.things.append('a')", {("listed", "shop.slotted.things"): 1}),
        ("two[0].append('a'); two[1].append('a')", {("listed", "shop.two[*]"): 2}),
        ("last = ('a', 'b')", {("entries", "shop.last"): 2}),
        ("log.append(weakref.ref(hub))", {("listed", "shop.log"): 1}),
        ("log.append(weakref.ref(Hub()))", {}),
    ],
    ids=[
        "nothing",
        "dict",
        "nested",
        "list",
        "deque",
        "set",
        "class-attribute",
        "attribute",
        "state",
        "closure",
        "default",
        "slot",
        "two-lists",
        "tuple-set-anew",
        "weak-reference",
        "weak-reference-to-nothing",
    ],
)
def test_what_a_container_holds_is_said_by_the_path_to_it_and_nothing_else_is(
    play: Played, code: str, expected: Change
) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        run(code, it.shop)
        assert it.changed() == expected
        assert it.changed() == expected

    play(scene)


@pytest.mark.parametrize(
    ("code", "key", "change"),
    [
        ("total += 3", "shop.total", 3),
        ("total -= 3", "shop.total", -3),
        ("counts['all'] += 2", "shop.counts['all']", 2),
        ("hub.online += 1; other.online += 2", "shop.Hub.online", 3),
        ("Hub.made += 1", "shop.Hub.made", 1),
        ("slotted.number += 1", "shop.Slotted.number", 1),
        ("app.state.online += 1", "app.state._state['online']", 1),
    ],
    ids=["global", "below", "entry", "attribute-of-all-objects", "of-the-class", "slot", "state"],
)
def test_a_whole_number_is_said_by_its_name(play: Played, code: str, key: str, change: int) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        run(code, it.shop)
        assert it.changed()["number", key] == change

    play(scene)


def test_a_number_that_went_up_as_another_went_down_changes_no_sum(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        run("hub.online += 1; other.online -= 1; counts['all'] += 1; counts['here'] -= 1", it.shop)
        assert it.changed() == {("number", "shop.counts['all']"): 1, ("number", "shop.counts['here']"): -1}

    play(scene)


@pytest.mark.parametrize(
    "code",
    ["total = True", "total = 1.5", "many[1] += 1", "__version__ = 5"],
    ids=["truth", "fraction", "one-of-many", "dunder"],
)
def test_what_is_no_whole_number_or_one_entry_of_many_is_not_said(play: Played, code: str) -> None:
    async def scene(it: Surveyed) -> None:
        run("total, __version__ = 0, 4" if "total" not in code else "total = 0", it.shop)
        assert it.take() == []
        run(code, it.shop)
        assert not [key for key, change in it.changed().items() if key[0] == "number" and change > 0]

    play(scene)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("held.append(between.acquire())", ("places", "shop.between")),
        ("held.append(bars.acquire_nowait())", ("places", "shop.bars")),
        ("limiter.acquire_on_behalf_of_nowait('a')", ("places", "shop.limiter")),
        ("waiting.put_nowait('a')", ("items", "shop.waiting")),
        ("given.put('a')", ("items", "shop.given")),
        ("simple.put('a')", ("items", "shop.simple")),
        ("held.append(engine.connect())", ("lent", "shop.engine.pool")),
        ("cached('a')", ("cached", "shop.cached")),
    ],
    ids=["threading", "anyio", "limiter", "queue", "threads-queue", "simple-queue", "pool", "lru-cache"],
)
def test_what_is_taken_of_something_that_gives_and_takes_is_said(
    play: Played, code: str, expected: tuple[str, str]
) -> None:
    async def scene(it: Surveyed) -> None:
        run("limiter, bars = anyio.CapacityLimiter(5), anyio.Semaphore(5)", it.shop)
        it.shop.bars.release()  # anyio makes the semaphore that it is for at its first use
        it.shop.bars.acquire_nowait()
        assert it.take() == []
        run(code, it.shop)
        assert it.changed()[expected] == 1
        for one in it.shop.held:
            if hasattr(one, "close"):
                one.close()

    play(scene)


def test_the_places_of_an_asyncio_semaphore_are_taken_and_given_back(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        await it.shop.gate.acquire()
        await it.shop.gate.acquire()
        assert it.changed() == {("places", "shop.gate"): 2}
        it.shop.gate.release()
        it.shop.gate.release()
        assert it.take() == []

    play(scene)


def test_a_bound_of_its_own_is_said_with_a_size(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        run("cached('a'); ring.append('a'); recent.append('a')", it.shop)
        most = {(one.what, one.key): one.most for one in it.take()}
        assert most["cached", "shop.cached"] == 200
        assert (most["listed", "shop.ring"], most["listed", "shop.recent"]) == (5, -1)

    play(scene)


def test_the_dict_inside_a_cache_that_bounds_itself_is_no_size_without_a_bound(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        run("cached('a')", it.shop)
        assert {(one.what, one.most) for one in it.take() if one.key == "shop.cached"} == {("cached", 200)}

    play(scene)


def test_what_only_a_services_task_keeps_is_said_as_a_local_of_it(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        given: asyncio.Queue[str] = asyncio.Queue()
        came = asyncio.Event()
        task = it.shop.begin(given, came)
        await asyncio.sleep(0)
        assert it.take() == []
        given.put_nowait("a")
        await came.wait()
        await asyncio.sleep(0)
        assert it.changed()["listed", "service() → service(): local"] == 1
        task.cancel()

    play(scene)


# Tasks, threads and processes.


class Eager:
    """A factory of the application's own; it makes eager ones where there are such."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        self.made += 1
        if sys.version_info >= (3, 12):
            options["eager_start"] = True
        return asyncio.Task(coro, loop=loop, **options)


@pytest.mark.parametrize("own", [False, True], ids=["none", "a-factory-of-its-own"])
def test_tasks_are_counted_by_the_line_that_made_them(play: Played, own: bool) -> None:
    async def scene(it: Surveyed) -> None:
        factory = Eager()
        if own:
            it.loop.set_task_factory(factory)
        assert it.take() == []
        tasks = [it.shop.start(), it.shop.start(), it.shop.start_elsewhere()]
        done = it.loop.create_task(it.shop.in_vain())
        await done
        await asyncio.sleep(0)
        found = {key: size for key, size in it.changed().items() if key[0] == "task"}
        here, there = (line_of(f"return asyncio.{name}(beat()") for name in ("create_task", "ensure_future"))
        assert found == {
            ("task", f"beat() made at {here} in start()"): 2,
            ("task", f"beat() made at {there} in start_elsewhere()"): 1,
        }
        assert factory.made == (4 if own else 0)
        assert it.loop.get_task_factory() is (factory if own else None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not [one for one in it.changed() if one[0] == "task"]

    play(scene)


def test_threads_are_counted_by_what_they_run(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        released = threading.Event()
        assert it.take() == []
        threads = [threading.Thread(target=it.shop.stand, args=(released,), daemon=True) for _ in range(2)]
        threads.append(it.shop.Worker(released))
        for one in threads:
            one.start()
        found = {key: size for key, size in it.changed().items() if key[0] == "thread"}
        assert found == {("thread", "stand()"): 2, ("thread", "Worker"): 1}
        released.set()
        for one in threads:
            one.join()
        assert not [key for key in it.changed() if key[0] == "thread"]

    play(scene)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux says what children a process has")
def test_child_processes_are_counted_by_name_and_apart_once_nobody_has_waited_for_them(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        children = [subprocess.Popen(["sleep", "600"]) for _ in range(2)]  # noqa: ASYNC220  # as an application may

        def processes() -> Change:
            return {key: size for key, size in it.changed().items() if key[0] == "process"}

        assert processes() == {("process", "sleep"): 2}
        children[0].kill()
        os.waitid(os.P_PID, children[0].pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222  # it was killed
        assert processes() == {("process", "sleep"): 1, ("process", "sleep (ended, not waited for)"): 1}
        children[1].kill()
        for one in children:
            one.wait()
        assert processes() == {}

    play(scene)


# Descriptors.


@pytest.mark.parametrize(
    ("code", "kind", "count"),
    [
        ("held.append(open('file', 'w'))", "file", 1),
        ("held.extend(map(os.fdopen, os.pipe(), ('r', 'w')))", "pipe", 2),
        ("held.extend(socket.socketpair())", "local socket", 2),
        ("held.append(socket.socket())", "unconnected socket", 1),
        ("held.append(socket.create_server(('127.0.0.1', 0)))", "listening socket", 1),
        ("held.append(open('/dev/null'))", "/dev/null", 1),
    ],
    ids=["file", "pipe", "local", "unconnected", "listening", "device"],
)
def test_descriptors_are_counted_by_what_they_are(play: Played, code: str, kind: str, count: int) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        run(code, it.shop)
        assert {key: size for key, size in it.changed().items() if key[0] == "descriptor"} == {
            ("descriptor", kind): count
        }
        for one in it.shop.held:
            one.close()

    play(scene)


def test_a_socket_that_was_accepted_is_told_from_one_that_goes_out_and_from_another_ports() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_server(("127.0.0.1", 0)) as another:
        port, second = ours.getsockname()[1], another.getsockname()[1]
        before = descriptors(port)
        with closing(socket.create_connection(("127.0.0.1", port))), closing(ours.accept()[0]):
            here = descriptors(port) - before
            with closing(socket.create_connection(("127.0.0.1", second))), closing(another.accept()[0]):
                there = descriptors(port) - before - here
        assert here == {"accepted socket": 1, f"outgoing socket to 127.0.0.1:{port}": 1}
        assert there == {f"socket accepted on port {second}": 1, f"outgoing socket to 127.0.0.1:{second}": 1}
        assert descriptors(port) == before


# Types, and what is left of connections.


def test_objects_are_counted_by_class_with_the_path_to_one(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        run("rooms['hub'] = Hub()", it.shop)
        (one,) = [one for one in it.take() if one.what == "type"]
        assert (one.key, one.size - (one.base or 0), one.example) == ("shop.Hub", 1, "shop.rooms['hub']")

    play(scene)


def test_an_object_of_the_applications_counts_even_if_no_path_leads_to_it(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        mine = it.shop.Hub()
        assert it.changed()["type", "shop.Hub"] == 1
        del mine
        assert it.changed() == {}

    play(scene)


class Client:
    """A client that connects, and leaves when it is told to."""

    def __init__(self, it: Surveyed, name: str) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.accepted = asyncio.Event()
        scope = {"type": "websocket", "headers": [(b"x-hangup-connection", name.encode())]}
        self.messages.put_nowait({"type": "websocket.connect"})
        self.handler = asyncio.ensure_future(it.connections(scope, self.messages.get, self._send))

    async def _send(self, _message: Any) -> None:
        self.accepted.set()

    async def leave(self) -> None:
        """Gone, and its handler has returned."""
        self.messages.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.handler


def test_a_connection_that_has_ended_and_of_which_something_lives_is_alive(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        clients = [Client(it, name) for name in ("alice", "bob")]
        for one in clients:
            await one.accepted.wait()
        assert ("alive", "") not in it.changed()
        await clients[0].leave()
        assert it.changed()["alive", ""] == 1
        await clients[1].leave()
        it.shop.sockets.pop()
        clients.clear()
        await asyncio.sleep(0)
        assert it.changed()["alive", ""] == 1
        it.shop.sockets.clear()
        assert ("alive", "") not in it.changed()

    play(scene)


def test_a_handler_is_no_task_and_a_websocket_is_not_entered(play: Played) -> None:
    async def scene(it: Surveyed) -> None:
        assert it.take() == []
        client = Client(it, "alice")
        await client.accepted.wait()
        websocket = it.shop.sockets[0]
        websocket.scope["mine"], websocket.notes, websocket.count = [1, 2], ["a"], 5
        found = it.changed()
        await client.leave()
        assert found["listed", "shop.sockets"] == 1
        assert not [key for key in found if key[0] == "task"]
        assert not [key for key in found if "shop.sockets[" in key[1] or key[0] == "number"]

    play(scene)
