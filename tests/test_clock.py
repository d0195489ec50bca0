"""The server's clock: whatever it reads, sleeps by or waits by is moved, and nothing of the lab's own is."""

from __future__ import annotations

import asyncio
import calendar
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from time import monotonic as copied_before
from time import sleep as sleep_copied_before
from typing import Any

import anyio
import pytest

import lab.clock
from lab.witness.clock import REAL_SLEEP, Clock
from tests.moving import in_a_process_of_its_own, move, new_mover, once

FAR = 1000.0
TOLERANCE = 20.0
"""A busy machine may take so long between two readings."""


def copied_after() -> float:
    """A copy that was made when the clock was there."""
    from time import monotonic

    return monotonic()


def asked_before() -> float:
    """One that was made before."""
    return copied_before()


def of_loop() -> float:
    """The event loop's clock."""
    loop = asyncio.new_event_loop()
    try:
        return loop.time()
    finally:
        loop.close()


async def _current() -> float:
    return anyio.current_time()


def _asked(of: object, name: str, unit: float = 1.0) -> float:
    return float(getattr(of, name)()) / unit


MOVED: dict[str, Callable[[], float]] = {
    **{f"time.{name}": partial(_asked, time, name) for name in ("monotonic", "perf_counter", "time")},
    **{f"time.{name}": partial(_asked, time, name, 1e9) for name in ("monotonic_ns", "perf_counter_ns", "time_ns")},
    "datetime.now": lambda: datetime.now(UTC).timestamp(),
    "time.gmtime": lambda: float(calendar.timegm(time.gmtime())),
    "loop.time": of_loop,
    "anyio.current_time": lambda: asyncio.run(_current()),
    "a copy made before": asked_before,
    "a copy made after": copied_after,
}
REAL: dict[str, Callable[[], float]] = {
    "lab.clock.now": partial(_asked, lab.clock, "now"),
    "time.process_time": partial(_asked, time, "process_time"),
}


def shifted_by(clock: Clock) -> dict[str, float]:
    """By how much each reading differs, before and after two moves."""
    before = {name: read() for name, read in (MOVED | REAL).items()}
    clock.move(FAR / 4)
    clock.move(FAR * 3 / 4)
    return {name: read() - before[name] for name, read in (MOVED | REAL).items()}


@pytest.fixture(scope="module")
def shifted() -> dict[str, float]:
    """By how much each reading was shifted."""
    found: dict[str, float] = in_a_process_of_its_own(shifted_by)
    return found


@pytest.mark.parametrize("name", MOVED)
def test_each_reading_of_a_clock_is_moved(shifted: dict[str, float], name: str) -> None:
    assert FAR - 1 < shifted[name] < FAR + TOLERANCE


@pytest.mark.parametrize("name", REAL)
def test_the_labs_own_clock_and_the_processors_are_not(shifted: dict[str, float], name: str) -> None:
    assert 0 <= shifted[name] < TOLERANCE


# Threads.


def _get() -> None:
    with suppress(queue.Empty):
        queue.Queue[int]().get(timeout=FAR)


def _result() -> None:
    with suppress(TimeoutError):
        Future[int]().result(timeout=FAR)


def _wait() -> None:
    condition = threading.Condition()
    with condition:
        condition.wait(FAR)


def _wait_for() -> None:
    condition = threading.Condition()
    with condition:
        condition.wait_for(lambda: False, FAR)


WAITS: dict[str, Callable[[], object]] = {
    "time.sleep": lambda: time.sleep(FAR),
    "a copy of time.sleep": lambda: sleep_copied_before(FAR),
    "Event.wait": lambda: threading.Event().wait(FAR),
    "Condition.wait": _wait,
    "Condition.wait_for": _wait_for,
    "Semaphore.acquire": lambda: threading.Semaphore(0).acquire(timeout=FAR),
    "Queue.get": _get,
    "Future.result": _result,
}


def waited(clock: Clock) -> list[dict[str, float]]:
    """Which threads have gone on after a move that does not reach, and after one that does; and when, by the clock."""
    ended: dict[str, float] = {}
    began = clock.read()

    def waiting(name: str, wait: Callable[[], object]) -> None:
        wait()
        ended[name] = clock.read() - began

    threads = [threading.Thread(target=waiting, args=one, daemon=True) for one in WAITS.items()]
    early = threading.Thread(target=waiting, args=("early", lambda: time.sleep(FAR / 4)), daemon=True)
    for one in (*threads, early):
        one.start()
    once(lambda: len(clock.sleepers()) == len(WAITS) + 1)
    clock.move(FAR / 2)
    early.join()
    found = [dict(ended)]
    clock.move(FAR / 2 + 1)
    for one in threads:
        one.join()
    assert not clock.sleepers()
    return [*found, ended]


@pytest.fixture(scope="module")
def threads() -> list[dict[str, float]]:
    """Who has gone on."""
    found: list[dict[str, float]] = in_a_process_of_its_own(waited)
    return found


def test_a_thread_that_sleeps_is_not_woken_before_its_time(threads: list[dict[str, float]]) -> None:
    assert list(threads[0]) == ["early"]


@pytest.mark.parametrize("name", WAITS)
def test_a_thread_that_sleeps_or_waits_with_a_timeout_is_moved_along(
    threads: list[dict[str, float]], name: str
) -> None:
    assert FAR <= threads[1][name] < FAR + TOLERANCE


def notified(clock: Clock) -> list[object]:
    """What a wait returns that is notified, and how far the clock was moved by then; and a game of ping-pong."""
    condition, turn = threading.Condition(), [0]
    found: list[object] = []

    def wait() -> None:
        with condition:
            found.append(condition.wait(FAR))

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    once(clock.sleepers)
    with condition:
        condition.notify()
    thread.join()

    def play(mine: int) -> None:
        for _ in range(200):
            with condition:
                assert condition.wait_for(lambda: turn[0] % 2 == mine, FAR)
                turn[0] += 1
                condition.notify_all()

    players = [threading.Thread(target=play, args=(mine,), daemon=True) for mine in (0, 1)]
    for one in players:
        one.start()
    for one in players:
        one.join()
    event = threading.Event()
    event.set()
    return [*found, turn[0], event.wait(FAR), clock.moved]


def test_a_condition_that_is_notified_wakes_at_once_and_no_notification_is_missed() -> None:
    assert in_a_process_of_its_own(notified) == [True, 400, True, 0.0]


def refused(_: Clock) -> list[str]:
    """What a sleep says to a time that is none."""
    said = []
    for seconds in (-1, float("nan")):
        try:
            time.sleep(seconds)
        except ValueError:
            said.append("refused")
    time.sleep(0)
    REAL_SLEEP(0)
    return said


def test_a_sleep_of_no_time_returns_and_one_of_less_is_refused_as_ever() -> None:
    assert in_a_process_of_its_own(refused) == ["refused", "refused"]


# Timeouts of the event loop.


async def _sleep() -> str:
    return await asyncio.sleep(FAR, "slept")


async def _timeout() -> str:
    try:
        async with asyncio.timeout(FAR):
            await asyncio.Event().wait()
    except TimeoutError:
        return "timed out"
    return ""


async def _wait_until() -> str:
    try:
        await asyncio.wait_for(asyncio.Event().wait(), FAR)
    except TimeoutError:
        return "timed out"
    return ""


async def _call_later() -> str:
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(FAR, event.set)
    await event.wait()
    return "called"


async def _move_on() -> str:
    with anyio.move_on_after(FAR) as scope:
        await anyio.sleep_forever()
    return "moved on" if scope.cancelled_caught else ""


async def _fail_after() -> str:
    try:
        with anyio.fail_after(FAR):
            await anyio.sleep_forever()
    except TimeoutError:
        return "failed"
    return ""


TIMED: dict[str, tuple[Callable[[], Any], str]] = {
    "asyncio.sleep": (_sleep, "slept"),
    "asyncio.timeout": (_timeout, "timed out"),
    "asyncio.wait_for": (_wait_until, "timed out"),
    "loop.call_later": (_call_later, "called"),
    "anyio.move_on_after": (_move_on, "moved on"),
    "anyio.fail_after": (_fail_after, "failed"),
}


def timed(clock: Clock) -> dict[str, object]:
    """What came of each, and after how much of the server's time."""

    async def play() -> dict[str, object]:
        began, mover = clock.read(), new_mover(clock)
        found: dict[str, object] = {}

        async def one(name: str) -> None:
            said = await TIMED[name][0]()
            found[name] = [said, clock.read() - began]

        tasks = [asyncio.ensure_future(one(name)) for name in TIMED]
        await move(mover, FAR / 2)
        assert not found
        await move(mover, FAR / 2 + 1)
        await asyncio.gather(*tasks)
        return found

    return asyncio.run(play())


@pytest.fixture(scope="module")
def came() -> dict[str, list[Any]]:
    """What came of the timeouts."""
    found: dict[str, list[Any]] = in_a_process_of_its_own(timed)
    return found


@pytest.mark.parametrize("name", TIMED)
def test_each_timeout_of_the_event_loop_comes_when_its_time_has_come_and_not_before(
    came: dict[str, list[Any]], name: str
) -> None:
    said, seconds = came[name]
    assert said == TIMED[name][1]
    assert FAR <= seconds < FAR + TOLERANCE


# As an application may keep it.


class Limiter:
    """Keeps a clock as a class attribute: a function of C's is no method there."""

    clock: Any = None


def kept_by_a_class(_: Clock) -> list[bool]:
    """Whether such a clock can still be read."""
    found = []
    for name in ("monotonic", "perf_counter", "monotonic_ns", "perf_counter_ns"):
        Limiter.clock = getattr(time, name)
        found.append(Limiter().clock() > 0)
    return found


def test_a_class_may_keep_a_clock_as_its_attribute() -> None:
    assert in_a_process_of_its_own(kept_by_a_class) == [True] * 4
