"""What is private in others: read from the versions that are named, and unknown where a name has changed."""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.metadata
import os
import pkgutil
import queue
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from operator import attrgetter, methodcaller
from types import ModuleType
from typing import Any

import anyio
import anyio.to_thread
import pytest
import sqlalchemy.pool
import uvicorn
from starlette.websockets import WebSocket

from lab.backends import compat as stages
from lab.witness import compat
from lab.witness.compat import (
    anyio_,
    asyncio_,
    containers,
    queue_,
    sqlalchemy_,
    starlette_,
    threading_,
    trial,
    uvicorn_,
)
from lab.witness.flavour import PROTOCOLS, protocol

READERS = tuple(
    importlib.import_module(f"{compat.__name__}.{one.name}")
    for one in pkgutil.iter_modules(compat.__path__)
    if one.name not in ("trial", "timing", "resources")
)
mark: ContextVar[str] = ContextVar("mark", default="")

NEEDED_BY = {
    "asyncio_.WAITS_FOR": {"task", "timer"},
    "asyncio_.TIMERS": {"timer"},
    "asyncio_.READY": {"timer"},
    "asyncio_.CALLBACK": {"timer"},
    "asyncio_.ARGS": {"timer"},
    "asyncio_.CONTEXT": {"timer"},
    "asyncio_.RUN": {"timer"},
    "asyncio_.TIMED": {"timer"},
    "asyncio_.SLEEP": {"timer"},
    "asyncio_.SELECTOR": {"timer"},
    "asyncio_.OWN_READERS": {"timer"},
    "asyncio_.PLACES": {"place"},
    "asyncio_.WAITERS": {"place"},
    "asyncio_.GETTERS": {"queue"},
    "asyncio_.PUTTERS": {"queue"},
    "asyncio_.TRANSPORTS": {"connection"},
    "anyio_.BACKEND": {"thread", "timer"},
    "anyio_.WORKER": {"thread"},
    "anyio_.WORKS_IN": {"thread"},
    "anyio_.SCOPE": {"timer"},
    "anyio_.TIMED": {"timer"},
    "threading_.FRAMES": {"thread"},
    "threading_.WORKER": {"thread"},
    "threading_.WORK": {"thread"},
    "threading_.THREADS": {"thread"},
    "threading_.PLACES": {"place"},
    "threading_.CONDITION": {"thread", "place"},
    "threading_.WAITERS": {"thread", "place"},
    "queue_.ITEMS": {"queue"},
    "queue_.UNFINISHED": {"queue"},
    "containers.CACHED": {"cache"},
    "sqlalchemy_.POOL": {"pool"},
    "sqlalchemy_.COUNTING": {"pool"},
    "sqlalchemy_.LENT": {"pool"},
    "starlette_.WEBSOCKET": {"connection"},
    "starlette_.SCOPE": {"connection"},
    "starlette_.RECEIVE": {"connection"},
    "starlette_.SEND": {"connection"},
    "uvicorn_.STATE": {"connection"},
    "uvicorn_.CONNECTIONS": {"connection"},
    "uvicorn_.LOADED": {"connection"},
    "uvicorn_.EVERYWHERE": {"connection"},
}
"""What becomes unknown if a name changes, for every name that the trial can try before anybody has connected."""

LATER = {"asyncio_.SERVED", "uvicorn_.SOCKETS", "uvicorn_.SCOPE", "uvicorn_.SHAKEN"}
"""Names that only a server that listens, or a protocol that is connected, has."""

ELSEWHERE = {"starlette_.MODULE", "sqlalchemy_.MODULE"}
"""Modules that need not be there: who does not use a package has nothing of it."""


def names() -> Iterator[str]:
    """Every constant of the readers."""
    for module in READERS:
        for name in vars(module):
            if name.isupper() and name != "READ_FROM":
                yield f"{module.__name__.rpartition('.')[2]}.{name}"


def renamed(known: object) -> object:
    """The same, of a name that nobody has."""
    if isinstance(known, attrgetter):
        return attrgetter("_renamed")
    if isinstance(known, methodcaller):
        return methodcaller("_renamed")
    return () if isinstance(known, tuple) else "_renamed"


async def unserved(_scope: object, _receive: object, _send: object) -> None:
    """An application that nobody calls."""


def configured(flavour: str = "auto") -> uvicorn.Config:
    kind: Any = protocol(flavour)
    return uvicorn.Config(unserved, ws=kind, log_config=None)


def test_every_name_is_one_whose_change_is_tested() -> None:
    assert set(names()) == NEEDED_BY.keys() | LATER | ELSEWHERE


@pytest.mark.parametrize("flavour", sorted(PROTOCOLS.keys() - {"websockets"}))
def test_of_the_versions_that_are_installed_everything_is_known(flavour: str) -> None:
    assert asyncio.run(trial.tried(configured(flavour))) == frozenset()
    assert asyncio.run(trial.tried()) == frozenset()


@pytest.mark.parametrize("name", NEEDED_BY)
def test_a_name_that_has_changed_makes_unknown_what_needs_it_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured()
    config.load()
    module, _, constant = name.partition(".")
    reader = importlib.import_module(f"{compat.__name__}.{module}")
    monkeypatch.setattr(reader, constant, renamed(getattr(reader, constant)))
    assert asyncio.run(trial.tried(config)) == NEEDED_BY[name]


@pytest.mark.parametrize("kind", sorted(trial.KINDS))
def test_every_kind_can_become_unknown(kind: str) -> None:
    assert any(kind in kinds for kinds in NEEDED_BY.values())


class Timerless(asyncio.SelectorEventLoop):
    """A loop of another make: its timers are somewhere else, as uvloop's are."""

    def __init__(self) -> None:
        super().__init__()
        self._elsewhere: list[asyncio.TimerHandle] = []

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]  # typeshed binds args
        handle = super().call_at(when, callback, *args, context=context)
        self._scheduled.remove(handle)  # type: ignore[attr-defined]  # that is what is tried
        self._elsewhere.append(handle)
        return handle


def test_on_a_loop_of_another_make_only_what_it_hides_is_unknown() -> None:
    loop = Timerless()
    try:
        assert loop.run_until_complete(trial.tried()) == {"timer"}
    finally:
        loop.close()


class Wrapped:
    """A task of another make."""

    def __init__(self, coro: Any) -> None:
        self.task = asyncio.Task(coro)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)

    def __await__(self) -> Any:
        return self.task.__await__()


def test_with_tasks_of_another_make_tasks_are_unknown() -> None:
    async def play() -> frozenset[str]:
        factory: Any = lambda _loop, coro, **_options: Wrapped(coro)  # noqa: E731  # typed as asyncio does not
        asyncio.get_running_loop().set_task_factory(factory)
        return await trial.tried()

    assert "task" in asyncio.run(play())


if sys.version_info >= (3, 12):  # not a skip, which fails on CI: before, there is no eager task to try

    def test_with_eager_tasks_everything_is_known() -> None:
        async def play() -> frozenset[str]:
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            return await trial.tried()

        assert asyncio.run(play()) == frozenset()


def test_a_trial_leaves_nothing_behind() -> None:
    async def play() -> tuple[int, int, list[asyncio.TimerHandle], int]:
        before = threading.active_count()
        await trial.tried(configured())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        running = len(asyncio.all_tasks())
        return running, threading.active_count() - before, asyncio_.timers(loop), len(asyncio_.ready(loop))

    assert asyncio.run(play()) == (1, 0, [], 0)


def test_a_trial_is_short() -> None:
    async def play() -> float:
        config = configured()
        await trial.tried(config)
        before = time.thread_time()
        await trial.tried(config)
        return time.thread_time() - before

    assert min(asyncio.run(play()) for _ in range(3)) < 0.005


def installed(package: str) -> str:
    version = ".".join(map(str, sys.version_info[:2])) if package == "python" else importlib.metadata.version(package)
    return ".".join(version.split(".")[:2])


@pytest.mark.parametrize("module", [*READERS, stages], ids=lambda one: one.__name__)
def test_what_is_installed_is_among_what_was_read(module: ModuleType) -> None:
    read: dict[str, tuple[str, ...]] = module.READ_FROM
    newer = {one for one in read if one == "python" and sys.version_info[:2] > (3, 13)}
    assert {one for one in read if installed(one) not in read[one]} <= newer


def test_a_task_says_what_it_waits_for_and_where_it_was_made() -> None:
    async def play() -> None:
        mark.set("alice")
        gate = asyncio.Event()
        inner = asyncio.create_task(gate.wait())
        outer = asyncio.ensure_future(asyncio.shield(inner))
        waits = asyncio.create_task(asyncio.wait_for(inner, None))
        await asyncio.sleep(0)
        assert asyncio_.waits_for(waits) is inner
        assert asyncio_.waiting(gate) == 1
        context = asyncio_.context_of(waits)
        assert (context.get(mark) if context else "") == ("alice" if sys.version_info >= (3, 12) else "")
        gate.set()
        await asyncio.gather(outer, waits)

    asyncio.run(play())


@pytest.mark.parametrize("how", ["sleep", "wait_for", "timeout", "move_on_after"])
def test_a_timer_says_whom_it_wakes(how: str) -> None:
    async def wait() -> None:
        never = asyncio.get_running_loop().create_future()
        if how == "sleep":
            await asyncio.sleep(60)
        elif how == "wait_for":
            await asyncio.wait_for(never, 60)
        elif how == "timeout":
            async with asyncio.timeout(60):
                await never
        else:
            with anyio.move_on_after(60):
                await never

    async def play() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        (handle,) = asyncio_.timers(loop)
        woken = [*asyncio_.woken_by(handle), *anyio_.timed(handle)]
        assert any(one in (task, asyncio_.waits_for(task)) for one in woken)
        assert asyncio_.is_sleep(handle) == (how == "sleep")
        asyncio_.run_now(handle)
        for _ in range(10):
            await asyncio.sleep(0)
        assert task.done() == (how != "move_on_after"), "anyio's looks at the clock, and is set again"
        task.cancel()
        if how in ("wait_for", "timeout"):
            assert isinstance(task.exception(), TimeoutError)

    asyncio.run(play())


def test_a_callback_is_called_in_its_own_context_and_its_error_is_the_loop_s() -> None:
    async def play() -> tuple[str, list[str]]:
        loop, errors = asyncio.get_running_loop(), list[str]()
        loop.set_exception_handler(lambda _, said: errors.append(str(said["exception"])))
        context = copy_context()
        context.run(mark.set, "alice")
        handle = loop.call_later(60, lambda: 1 / 0, context=context)
        said = asyncio_.context_of_handle(handle).get(mark, "")
        asyncio_.run_now(handle)
        assert asyncio_.callback_of(handle) is None
        assert asyncio_.args_of(handle) == ()
        return said, errors

    assert asyncio.run(play()) == ("alice", ["division by zero"])


def test_a_loop_says_what_it_calls_next() -> None:
    async def play() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        before = len(asyncio_.ready(loop))
        loop.call_soon(int)
        loop.call_soon(int).cancel()
        return before, len(asyncio_.ready(loop))

    assert asyncio.run(play()) == (0, 1)


def test_places_that_are_taken_are_counted() -> None:
    async def play() -> None:
        semaphore, limiter = asyncio.BoundedSemaphore(3), anyio.CapacityLimiter(3)
        await semaphore.acquire()
        me = object()
        limiter.acquire_on_behalf_of_nowait(me)
        assert (asyncio_.free_places(semaphore), anyio_.free_places(limiter)) == (2, 2)
        assert anyio_.borrowers(limiter) == (me,)
        lock = anyio.Lock()
        await lock.acquire()
        assert anyio_.free_places(lock) == 0
        event = anyio.Event()
        waits = asyncio.create_task(event.wait())
        await asyncio.sleep(0)
        assert anyio_.waiting(event) == 1
        event.set()
        await waits

    asyncio.run(play())
    places = threading.BoundedSemaphore(2)
    places.acquire()
    assert threading_.free_places(places) == 1


def test_a_limiter_made_before_there_is_a_loop_is_read_too() -> None:
    assert anyio_.free_places(anyio.CapacityLimiter(3)) == 3
    assert anyio_.free_places(anyio.Semaphore(3)) == 3
    assert anyio_.free_places(anyio.Lock()) == 1


def test_a_queue_is_measured_though_somebody_holds_its_lock() -> None:
    held: queue.Queue[int] = queue.Queue()
    held.put(1)
    with held.mutex:
        assert (queue_.items(held), queue_.unfinished(held)) == (1, 1)


def test_what_was_sent_into_a_stream_is_counted_with_who_waits_to_send() -> None:
    async def play() -> tuple[int, float]:
        send, receive = anyio.create_memory_object_stream[int](1)
        async with send, receive:
            send.send_nowait(1)
            waits = asyncio.create_task(send.send(2))
            for _ in range(5):  # it looks first whether it was cancelled
                await asyncio.sleep(0)
            said = anyio_.items(send)
            await receive.receive()
            await waits
        return said

    assert asyncio.run(play()) == (2, 1)


def test_a_thread_of_anyio_s_says_for_whom_it_works() -> None:
    async def play() -> tuple[list[str], bool]:
        began, go = threading.Event(), threading.Event()
        idents: list[int] = []

        def work() -> None:
            idents.append(threading.get_ident())
            began.set()
            go.wait()

        mark.set("alice")
        working = asyncio.create_task(anyio.to_thread.run_sync(work))
        await asyncio.to_thread(began.wait, 5)
        try:
            stack = list(threading_.stack(threading_.frames()[idents[0]]))
            contexts = [anyio_.works_in(frame) for frame in stack if anyio_.is_worker(frame)]
            return [one[mark] for one in contexts if one], any(map(threading_.is_pooled, stack))
        finally:
            go.set()
            await working

    assert asyncio.run(play()) == (["alice"], False)


def _begin(begun: threading.Event, go: threading.Event) -> None:
    begun.set()
    go.wait()


def test_an_executor_says_how_much_it_has_to_do() -> None:
    go = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        begun = threading.Event()
        executor.submit(_begin, begun, go)
        begun.wait(5)
        executor.submit(int)
        try:
            assert (threading_.threads_of(executor), threading_.work_left(executor)) == (1, 1)
        finally:
            go.set()


class Driver:
    """A driver's connection."""

    def rollback(self) -> None:
        """Nothing to undo."""

    def close(self) -> None:
        """Nothing to close."""


def test_a_pool_says_how_many_are_out_or_that_it_does_not_count() -> None:
    pool: Any = sqlalchemy.pool.QueuePool(Driver)  # type: ignore[arg-type]  # as much of a connection as it asks for
    assert sqlalchemy_.lent(pool) == 0
    out = pool.connect()
    assert sqlalchemy_.lent(pool) == 1
    out.close()
    assert sqlalchemy_.lent(pool) == 0
    pool.dispose()
    uncounted: Any = sqlalchemy.pool.NullPool(Driver)  # type: ignore[arg-type]  # the same
    assert sqlalchemy_.is_pool(uncounted)
    assert sqlalchemy_.lent(uncounted) is None
    assert not sqlalchemy_.is_pool(Driver())


def test_what_bounds_itself_says_its_bound() -> None:
    for_ever = functools.cache(int)
    for_ever("1")
    assert containers.filled(for_ever) == (1, None)
    assert containers.filled(functools.lru_cache(maxsize=8)(int)) == (0, 8)
    assert containers.filled(deque([1, 2], maxlen=10)) == (2, 10)
    assert containers.filled(deque([1])) == (1, None)
    assert containers.filled([1]) is None


def test_a_cache_of_cachetools_says_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cache(dict[str, int]):
        currsize, maxsize = 3, 100

    known = ModuleType("cachetools")
    vars(known)["Cache"] = Cache
    monkeypatch.setitem(sys.modules, "cachetools", known)
    assert containers.filled(Cache()) == (3, 100)


def test_a_server_and_its_protocol_say_what_they_know() -> None:
    async def play() -> None:
        config = configured()
        loaded = uvicorn_.loaded(config)
        assert loaded is not None
        uvicorn_.call_instead(config, unserved)
        assert uvicorn_.loaded(config) is unserved
        state = uvicorn_.new_state()
        kind: Any = config.ws_protocol_class
        one = kind(config=config, server_state=state, app_state={})
        assert uvicorn_.connections_of(one) is state.connections
        assert uvicorn_.scope_of(one) is None
        assert not uvicorn_.is_shaken(one)
        scope = {"type": "websocket"}
        uvicorn_.share(one, scope)
        assert uvicorn_.scope_of(one) is scope is one.scope

    asyncio.run(play())


def test_a_server_that_listens_says_where() -> None:
    async def play() -> tuple[int, int]:
        server = uvicorn.Server(uvicorn.Config(unserved, port=0, lifespan="off", log_config=None))
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup()
        bound: tuple[str, int] = server.servers[0].sockets[0].getsockname()
        port = uvicorn_.port_of(server)
        await server.shutdown()
        return port, bound[1]

    port, bound = asyncio.run(play())
    assert port == bound > 0


def test_a_websocket_says_what_it_was_made_with() -> None:
    async def receive() -> Any:
        return {}

    async def send(_message: object) -> None:
        return None

    scope = {"type": "websocket"}
    websocket = WebSocket(scope, receive, send)
    assert starlette_.websocket_type() is WebSocket
    assert starlette_.scope_of(websocket) is scope
    assert starlette_.ways_of(websocket) == (receive, send)


def test_what_the_engine_answers_is_let_go_of_with_its_response() -> None:
    closed: list[str] = []

    class Thing:
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            closed.append(self.name)

    attached: Any = Thing("attached")
    assert stages.stream_of(attached) is attached
    attached._sock, attached._response = Thing("socket"), Thing("response")
    assert stages.stream_of(attached) is attached._sock
    stages.let_go(attached)
    assert closed == ["response", "attached"]


async def woken_from_outside() -> list[bool]:
    """Whether a loop may be: when it listens, has accepted a client, and has dialled somebody."""
    loop, seen, came = asyncio.get_running_loop(), list[bool](), asyncio.Queue[asyncio.StreamWriter]()
    server = await asyncio.start_server(lambda _reader, writer: came.put_nowait(writer), "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    seen.append(asyncio_.may_be_woken_from_outside(loop))
    with socket.create_connection(address):
        writers = [await came.get()]
        seen.append(asyncio_.may_be_woken_from_outside(loop))
        _, writer = await asyncio.open_connection(*address)
        seen.append(asyncio_.may_be_woken_from_outside(loop))
        writers += [writer, await came.get()]
    for writer in writers:
        writer.close()
        with suppress(OSError):  # its client may have gone first
            await writer.wait_closed()
    server.close()
    return seen


def test_a_loop_that_listens_to_its_clients_alone_is_not_woken_from_outside() -> None:
    assert asyncio.run(woken_from_outside()) == [False, False, True]


def test_where_a_transport_does_not_say_who_accepted_it_a_loop_may_be_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio_, "SERVED", lambda _transport: None)
    assert asyncio.run(woken_from_outside()) == [False, True, True]


def test_a_loop_that_reads_a_pipe_may_be_woken() -> None:
    async def reads() -> bool:
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(asyncio.Protocol, os.fdopen(reading, "rb"))
        found = asyncio_.may_be_woken_from_outside(loop)
        transport.close()
        os.close(writing)
        await asyncio.sleep(0)
        return found

    assert asyncio.run(reads())
