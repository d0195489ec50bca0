"""Queues that a connection made: which of them is a subscriber nobody took off the list?"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from lab.witness.orphans import Made, Roots, _queues
from lab.witness.queues import Birth, Queues

Queue = asyncio.Queue[str]


class Hub:
    def __init__(self, queue: Queue) -> None:
        self.latest = queue


PLACES: dict[str, tuple[Callable[[Queue], object], str | None]] = {
    "a name": (lambda queue: queue, "bus.place"),
    "an attribute": (Hub, "bus.place"),
    "a list": (lambda queue: [queue], "bus.place[0]"),
    "a set": (lambda queue: {queue}, "bus.place{…}"),
    "a deque": (lambda queue: deque([queue]), "bus.place[0]"),
    "a room's list": (lambda queue: {"lobby": [queue]}, "bus.place['lobby'][0]"),
    "a token": (lambda queue: {"f6dd": queue}, None),
    "a token's session": (lambda queue: {"f6dd": Hub(queue)}, None),
    "nowhere": (lambda _: None, None),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_kept_under_a_key_may_be_come_back_for_and_anything_else_is_named(place: str) -> None:
    make, name = PLACES[place]
    bus: Any = ModuleType("bus")
    queue: Queue = asyncio.Queue()
    bus.place = make(queue)
    roots = Roots([bus.__dict__], {id(bus.__dict__): "bus"}, frozenset())
    found = [(one.who, one.holder) for one in _queues(Made([], [(queue, "alice")]), roots)]
    assert found == ([] if name is None else [("alice", name)])


def born(queue: Queue, name: str) -> Queues:
    queues = Queues()
    queues.born[queue] = Birth(name)
    return queues


@pytest.mark.parametrize(
    ("size", "before", "after", "written"),
    [(0, 0, 1, True), (0, 2, 3, True), (0, 0, 0, False), (0, 2, 2, False), (0, 2, 0, False), (3, 3, 3, True)],
    ids=["filled", "filled-more", "empty", "as-full", "emptied", "has-no-room"],
)
def test_it_is_written_to_if_it_is_fuller_than_when_its_connection_was_first_seen_gone(
    size: int, before: int, after: int, written: bool
) -> None:
    queue: Queue = asyncio.Queue(size)
    queues = born(queue, "alice")

    def fill(count: int) -> None:
        while queue.qsize() < count:
            queue.put_nowait("hello")
        while queue.qsize() > count:
            queue.get_nowait()

    fill(before)
    assert list(queues.written_to({"alice"})) == []  # she lives
    assert list(queues.written_to(set())) == []  # the first look
    fill(after)
    assert list(queues.written_to(set())) == ([(queue, "alice")] if written else [])


def test_a_queue_that_cannot_be_remembered_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(asyncio.Queue[str]):
        __hash__ = None  # type: ignore[assignment]  # as with an __eq__ of its own

    from lab.witness.connections import connection

    monkeypatch.setattr(asyncio.Queue, "__init__", asyncio.Queue.__init__)
    queues = Queues()
    queues.watch()
    token = connection.set("alice")
    try:
        odd, plain = Odd(), asyncio.Queue[str]()
    finally:
        connection.reset(token)
    assert odd.qsize() == 0
    assert {id(queue): birth.name for queue, birth in queues.born.items()} == {id(plain): "alice"}
