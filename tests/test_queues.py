"""Queues that a connection made: which of them is a subscriber nobody took off the list?"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextvars import copy_context
from math import inf
from types import ModuleType
from typing import Any
from weakref import ref

import pytest
from anyio import create_memory_object_stream, wait_all_tasks_blocked
from anyio.streams.memory import MemoryObjectSendStream

from lab.witness.connections import connection
from lab.witness.orphans import Made, Roots, _queues
from lab.witness.queues import Birth, Left, Queues, fullness
from lab.witness.tasks import Timers

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


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def timers(loop: asyncio.AbstractEventLoop) -> Timers:
    return Timers(loop, Counter())


@pytest.mark.parametrize("place", PLACES)
def test_what_is_kept_under_a_key_may_be_come_back_for_and_anything_else_is_named(place: str, timers: Timers) -> None:
    make, name = PLACES[place]
    bus: Any = ModuleType("bus")
    queue: Queue = asyncio.Queue()
    bus.place = make(queue)
    roots = Roots([bus.__dict__], {id(bus.__dict__): "bus"}, frozenset())
    found = list(_queues(Made([], [Left(ref(queue), "alice", unread=True)]), roots, timers, few=True))
    named = [(one.who, one.holder) for one in found if one.kind == "connection"]
    assert named == ([] if name is None else [("alice", name)])
    if name is None:
        kept = "" if place == "nowhere" else "bus.place['f6dd']"
        assert [(one.kind, one.holder.startswith(kept), one.sure) for one in found] == [("mailbox", True, bool(kept))]


def of_a_bus(queue: Queue) -> tuple[Any, Roots]:
    bus: Any = ModuleType("bus")
    bus.place = {"alice": queue}
    return bus, Roots([bus.__dict__], {id(bus.__dict__): "bus"}, frozenset())


@pytest.mark.parametrize("whose", ["alice", "bob"])
def test_while_the_application_wants_to_be_called_for_her_a_mailbox_may_still_be_put_away(
    whose: str, loop: asyncio.AbstractEventLoop
) -> None:
    queue: Queue = asyncio.Queue()
    bus, roots = of_a_bus(queue)
    context = copy_context()
    context.run(connection.set, whose)
    loop.call_later(60, bus.place.clear, context=context)
    made = Made([], [Left(ref(queue), "alice", unread=True)])
    (found,) = _queues(made, roots, Timers(loop, Counter()), few=True)
    assert (found.kind, found.sure) == ("mailbox", whose == "bob")


@pytest.mark.parametrize("few", [True, False])
def test_one_that_only_lives_in_a_cycle_is_nobodys_any_more_unless_there_are_too_many_to_look(
    few: bool, timers: Timers
) -> None:
    queue: Any = asyncio.Queue()
    bus, roots = of_a_bus(queue)
    queue.itself, left = queue, Left(ref(queue), "alice", unread=True)
    bus.place = {}
    del queue
    assert [one.kind for one in _queues(Made([], [left]), roots, timers, few=few)] == ([] if few else ["mailbox"])


def born(queue: Queue, name: str) -> Queues:
    queues = Queues()
    queues.born[queue] = Birth(name)
    return queues


class Asyncio:
    """A queue of asyncio's."""

    def __init__(self, size: int) -> None:
        self.queue: Any = asyncio.Queue(size)
        self.count, self.put, self.get = self.queue.qsize, self.queue.put_nowait, self.queue.get_nowait

    def close(self) -> None:
        """Only streams are closed."""


class Anyio:
    """A memory object stream of anyio's."""

    def __init__(self, size: int) -> None:
        self.queue: Any
        self.queue, self.end = create_memory_object_stream[str](size or inf)
        self.put, self.get = self.queue.send_nowait, self.end.receive_nowait

    def count(self) -> int:
        return int(self.queue.statistics().current_buffer_used)

    def close(self) -> None:
        self.queue.close()
        self.end.close()


@pytest.mark.parametrize("kind", [Asyncio, Anyio])
@pytest.mark.parametrize(
    ("size", "before", "after", "written"),
    [(0, 0, 1, True), (0, 2, 3, True), (0, 0, 0, False), (0, 2, 2, False), (0, 2, 0, False), (3, 3, 3, True)],
    ids=["filled", "filled-more", "empty", "as-full", "emptied", "has-no-room"],
)
def test_it_is_written_to_if_it_is_fuller_than_when_its_connection_was_first_seen_gone(
    kind: type[Asyncio | Anyio], size: int, before: int, after: int, written: bool
) -> None:
    made = kind(size)
    queues = born(made.queue, "alice")

    def fill(count: int) -> None:
        while made.count() < count:
            made.put("hello")
        while made.count() > count:
            made.get()

    fill(before)
    assert list(queues.left({"alice"}, set())) == []  # her handler runs
    assert list(queues.left(set(), set())) == []  # the first look
    fill(after)
    assert list(queues.left(set(), set())) == ([Left(ref(made.queue), "alice", unread=True)] if written else [])
    assert list(queues.left(set(), {"alice"})) == []  # she herself is left, and found
    fill(0)
    assert list(queues.left(set(), set())) == ([Left(ref(made.queue), "alice", unread=False)] if written else [])
    made.close()


def test_a_stream_without_a_buffer_has_no_room_while_somebody_waits_to_send() -> None:
    async def play() -> list[tuple[int, bool]]:
        stream, end = create_memory_object_stream[str]()
        with stream, end:
            before = fullness(stream)
            sending = asyncio.create_task(stream.send("hello"))
            await wait_all_tasks_blocked()
            waits = fullness(stream)
            assert await end.receive() == "hello"
            await sending
        return [before, waits]

    assert asyncio.run(play()) == [(0, False), (1, False)]


def test_a_queue_that_cannot_be_remembered_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(asyncio.Queue[str]):
        __hash__ = None  # type: ignore[assignment]  # as with an __eq__ of its own

    monkeypatch.setattr(asyncio.Queue, "__init__", asyncio.Queue.__init__)
    monkeypatch.setattr(MemoryObjectSendStream, "__post_init__", MemoryObjectSendStream.__post_init__)
    queues = Queues()
    queues.watch()
    token = connection.set("alice")
    try:
        odd, plain, (stream, end) = Odd(), asyncio.Queue[str](), create_memory_object_stream[str](3)
    finally:
        connection.reset(token)
    assert odd.qsize() == 0
    assert {id(queue): birth.name for queue, birth in queues.born.items()} == {id(plain): "alice", id(stream): "alice"}
    with stream, end:
        assert (stream.statistics().open_send_streams, stream.statistics().open_receive_streams) == (1, 1)
