"""Holder paths: what is left of a dead connection is found from a root, and the path is said as one would write it."""

from __future__ import annotations

import asyncio
import copy
import gc
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

import pytest
from starlette.websockets import WebSocket

from lab.witness.connections import Connection, WatchedScope, Ways
from lab.witness.holder import holder
from lab.witness.walk import Walk, exists


class Manager:
    def __init__(self) -> None:
        self.active: dict[str, WebSocket] = {}
        self.rooms: dict[str, set[WebSocket]] = {}

    def add(self, name: str, websocket: WebSocket) -> None:
        self.active[name] = websocket


@dataclass(slots=True)
class Client:
    websocket: WebSocket
    tags: list[str] = field(default_factory=list)


async def receive() -> dict[str, Any]:
    return {}


async def send(_: object) -> None:
    return None


def websocket() -> WebSocket:
    """A WebSocket as the witness would hand it to an application."""
    watched = WatchedScope({"type": "websocket", "headers": [], "path": "/ws"})
    watched.watched = one = Connection("alice", None, Ways(receive, send, unheard))
    return WebSocket(watched, one.receive, one.send)


def unheard(*_: object) -> None:
    """Of notes."""


def watched(socket: WebSocket) -> Connection:
    """The connection that a WebSocket is of."""
    assert isinstance(socket.scope, WatchedScope)
    return socket.scope.watched


def found(shop: ModuleType, *sockets: WebSocket) -> list[str]:
    """The holder of each socket's connection, from that module."""
    walk = Walk([(watched(socket), number) for number, socket in enumerate(sockets)])
    walk.search([shop.__dict__])
    names = {id(shop.__dict__): shop.__name__}
    assert all(exists(path) for path in walk.found.values())
    return [holder(walk.found[number], names) for number in range(len(sockets)) if number in walk.found]


@pytest.fixture
def shop() -> ModuleType:
    """The module of an application."""
    return ModuleType("shop")


def in_a_manager(shop: Any, socket: WebSocket) -> None:
    shop.manager = Manager()
    shop.manager.active["alice"] = socket


def in_a_room(shop: Any, socket: WebSocket) -> None:
    shop.manager = Manager()
    shop.manager.rooms["lobby"] = {socket}


def in_a_list(shop: Any, socket: WebSocket) -> None:
    shop.peers = ["x", socket]


def in_a_deque_of_clients(shop: Any, socket: WebSocket) -> None:
    shop.recent = deque([Client(socket)])


def in_a_closure(shop: Any, socket: WebSocket) -> None:
    def listener() -> WebSocket:
        return socket

    shop.bus = Manager()
    shop.bus.listeners = [listener]


def in_a_bound_method(shop: Any, socket: WebSocket) -> None:
    shop.callbacks = [socket.send_json]


def in_a_partial(shop: Any, socket: WebSocket) -> None:
    shop.jobs = [partial(print, socket)]


def in_an_exception(shop: Any, socket: WebSocket) -> None:
    def handle(websocket: WebSocket) -> None:
        raise ValueError(str(websocket.scope["path"]))

    try:
        handle(socket)
    except ValueError as error:
        shop.errors = [error]
        error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None  # the test's own frame


def in_a_generator(shop: Any, socket: WebSocket) -> None:
    def frames(websocket: WebSocket) -> Iterator[WebSocket]:
        yield websocket

    shop.stream = frames(socket)
    next(shop.stream)


def in_a_default(shop: Any, socket: WebSocket) -> None:
    def notify(_to: WebSocket = socket) -> None:
        return None

    shop.hooks = {"end": notify}


@pytest.mark.parametrize(
    ("put", "said"),
    [
        (in_a_manager, "shop.manager.active['alice']"),
        (in_a_room, "shop.manager.rooms['lobby']{…}"),
        (in_a_list, "shop.peers[1]"),
        (in_a_deque_of_clients, "shop.recent[0].websocket"),
        (in_a_closure, "shop.bus.listeners[0] → closure of in_a_closure.<locals>.listener: socket"),
        (in_a_bound_method, "shop.callbacks[0] → send_json()"),
        (in_an_exception, "shop.errors[0].__traceback__ → in_an_exception.<locals>.handle(): websocket"),
        (in_a_generator, "shop.stream → in_a_generator.<locals>.frames(): websocket"),
        (in_a_default, "shop.hooks['end'] → default of in_a_default.<locals>.notify"),
    ],
)
def test_a_holder_is_said_as_one_would_write_it(
    shop: ModuleType, put: Callable[[Any, WebSocket], None], said: str
) -> None:
    socket = websocket()
    put(shop, socket)
    assert found(shop, socket) == [said]


def test_a_partial_and_a_cache_are_holders_too(shop: ModuleType) -> None:
    @lru_cache
    def channel_of(websocket: WebSocket) -> WebSocket:
        return websocket

    in_partial, in_cache = websocket(), websocket()
    in_a_partial(shop, in_partial)
    channel_of(in_cache)
    vars(shop)["channel_of"] = channel_of
    first, second = found(shop, in_partial, in_cache)
    assert first.startswith("shop.jobs[0]")
    assert second.startswith("shop.channel_of")


def test_a_weak_container_holds_nothing(shop: ModuleType) -> None:
    socket = websocket()
    vars(shop)["weak"] = weakref.WeakSet([socket])
    vars(shop)["by_name"] = weakref.WeakValueDictionary({"alice": socket})
    assert found(shop, socket) == []


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, dict, dict.copy, lambda scope: scope | {}])
def test_a_copy_of_a_scope_is_data_and_holds_no_connection(
    shop: ModuleType, copied: Callable[[Any], dict[str, Any]]
) -> None:
    socket = websocket()
    vars(shop)["history"] = [copied(socket.scope)]
    assert vars(shop)["history"] == [socket.scope]
    assert found(shop, socket) == []
    vars(shop)["history"].append(socket.scope)
    assert found(shop, socket) == ["shop.history[1]"]


def test_the_walk_keeps_nothing_alive(shop: ModuleType) -> None:
    socket = websocket()
    in_a_list(shop, socket)
    gone = weakref.ref(socket)
    assert found(shop, socket)
    vars(shop).clear()
    del socket
    gc.collect()
    assert gone() is None


def test_nobody_is_looked_for_behind_a_living_connection(shop: ModuleType) -> None:
    alive, dead = websocket(), websocket()
    vars(alive)["peer"] = dead
    vars(shop)["peers"] = [alive]
    walk = Walk([(watched(dead), "dead")], barriers=[watched(alive)])
    walk.search([vars(shop)])
    assert walk.left == {"dead"}
    walk = Walk([(watched(dead), "dead")])
    walk.search([vars(shop)], through=True)
    assert walk.found


def test_a_task_that_waits_leads_to_what_it_holds(shop: ModuleType) -> None:
    async def beat(websocket: WebSocket, began: asyncio.Event) -> None:
        began.set()
        await asyncio.Event().wait()
        websocket.scope.clear()

    async def script() -> list[str]:
        socket, began = websocket(), asyncio.Event()
        task = asyncio.create_task(beat(socket, began))
        await began.wait()
        vars(shop)["tasks"] = {"alice": task}
        try:
            return found(shop, socket)
        finally:
            task.cancel()

    (said,) = asyncio.run(script())
    assert said.startswith("shop.tasks['alice']")
    assert said.endswith("beat(): websocket")


def test_of_a_thousand_each_is_found(shop: ModuleType) -> None:
    sockets = [websocket() for _ in range(1000)]
    vars(shop)["active"] = {f"user-{number}": socket for number, socket in enumerate(sockets)}
    assert found(shop, *sockets) == [f"shop.active['user-{number}']" for number in range(1000)]


# Found again.


def ways(walk: Walk[str]) -> list[tuple[int, ...]]:
    """Where that walk found what it looked for."""
    return [tuple(map(id, path)) for path in walk.found.values()]


def followed(shop: ModuleType, before: Walk[str], **sockets: WebSocket) -> Walk[str]:
    """A walk that only goes where the one before has found something."""
    walk = Walk([(watched(socket), name) for name, socket in sockets.items()])
    walk.follow(ways(before), [vars(shop)])
    assert all(exists(path) for path in walk.found.values())
    return walk


def searched(shop: ModuleType, **sockets: WebSocket) -> Walk[str]:
    """A walk that looks everywhere."""
    walk = Walk([(watched(socket), name) for name, socket in sockets.items()])
    walk.search([vars(shop)])
    return walk


def test_who_was_found_is_found_again_where_she_was_and_a_newcomer_beside_her(shop: ModuleType) -> None:
    alice, bob = websocket(), websocket()
    vars(shop)["manager"] = manager = Manager()
    manager.active["alice"] = alice
    before = searched(shop, alice=alice)
    manager.active["bob"] = bob
    walk = followed(shop, before, alice=alice, bob=bob)
    names = {id(vars(shop)): "shop"}
    assert {name: holder(path, names) for name, path in walk.found.items()} == {
        name: f"shop.manager.active['{name}']" for name in ("alice", "bob")
    }


def test_she_is_found_again_though_holders_of_hers_have_got_a_dict_meanwhile(shop: ModuleType) -> None:
    alice = websocket()
    vars(shop)["manager"] = manager = Manager()
    manager.active["alice"] = alice
    before = searched(shop, alice=alice)
    assert vars(manager)
    assert vars(alice)
    assert not followed(shop, before, alice=alice).left


def test_who_was_let_go_of_is_not_found_where_she_was(shop: ModuleType) -> None:
    alice, bob = websocket(), websocket()
    vars(shop)["active"] = {"alice": alice, "bob": bob}
    before = searched(shop, alice=alice, bob=bob)
    del vars(shop)["active"]["alice"]
    walk = followed(shop, before, alice=alice, bob=bob)
    assert walk.left == {"alice"}
    walk.search([vars(shop)])
    assert walk.left == {"alice"}


def test_a_way_leads_to_what_is_there_now_whatever_was_there_before(shop: ModuleType) -> None:
    alice, bob = websocket(), websocket()
    vars(shop)["active"] = {"alice": alice}
    before = searched(shop, alice=alice)
    vars(shop)["active"] = {"bob": bob}
    walk = followed(shop, before, alice=alice, bob=bob)
    assert "alice" in walk.left
    walk.search([vars(shop)])
    assert walk.found.keys() == {"bob"}


def test_where_somebody_was_found_keeps_nobody_alive(shop: ModuleType) -> None:
    alice = websocket()
    vars(shop)["active"] = [alice]
    kept = ways(searched(shop, alice=alice))
    gone = weakref.ref(watched(alice))
    del vars(shop)["active"], alice
    gc.collect()
    assert kept
    assert gone() is None
