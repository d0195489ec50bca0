"""The mover: from timer to timer, each with what it sets off; what comes from outside is waited for in real time."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import anyio
import anyio.to_thread
import pytest
from websockets.frames import Close, Frame, Opcode

from lab import evidence
from lab.timeline import Timeline
from lab.witness import mover as mover_module
from lab.witness.clock import Clock
from lab.witness.mover import STEPS
from lab.witness.wire import Carrier, Wire
from tests.moving import in_a_process_of_its_own, move, new_mover, tick
from tests.test_timeline import HEADER, seen

SHORT = 0.2
"""Seconds for which the mover waits in these tests for what never comes."""

LATE = 0.6
"""Seconds after which something comes from outside, of real time: longer than a thread is waited for, no pool's."""


class Diary:
    """What happened, in order, and when by the server's clock."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._began = self.loop.time()
        self.seen: list[tuple[str, float]] = []

    def note(self, what: str) -> None:
        """It happens now."""
        self.seen.append((what, self.loop.time() - self._began))

    @property
    def order(self) -> list[str]:
        """What happened."""
        return [what for what, _ in self.seen]


@contextmanager
def said_late(text: str = "hello\n", seconds: float = LATE) -> Iterator[socket.socket]:
    """A socket at whose other end another process says something, by the real clock; with no text it never does."""
    here, there = socket.socketpair()
    command = f"sleep {seconds}; printf '{text}'" if text else "read nothing"
    with (
        closing(here),
        subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=there.fileno()) as process,
    ):
        there.close()
        yield here
        process.kill()


# Timers.


def timers(clock: Clock) -> list[tuple[str, float]]:
    """Timers, one of which sets off a chain of callbacks and a timer of its own."""

    async def play() -> list[tuple[str, float]]:
        diary, loop, mover = Diary(), asyncio.get_running_loop(), new_mover(clock)

        def chain(left: int) -> None:
            if left:
                loop.call_soon(chain, left - 1)
            else:
                diary.note("what one set off")
                loop.call_later(0.5, diary.note, "one and a half")

        def first() -> None:
            diary.note("one")
            loop.call_soon(chain, 20)

        loop.call_later(3.0, diary.note, "three")
        loop.call_later(2.0, diary.note, "two")
        loop.call_later(1.0, first)
        loop.call_later(30.0, diary.note, "too far")
        await move(mover, 10.0)
        return diary.seen

    return asyncio.run(play())


def test_timers_fire_one_by_one_each_with_what_it_sets_off_before_the_next() -> None:
    found = in_a_process_of_its_own(timers)
    assert [what for what, _ in found] == ["one", "what one set off", "one and a half", "two", "three"]
    for (_, at), due in zip(found, (1.0, 1.0, 1.5, 2.0, 3.0), strict=True):
        assert due - 0.01 <= at < due + 0.4  # on a busy machine


def heartbeat(clock: Clock) -> list[float]:
    """Beats of a millisecond over an hour; and a server's own tick alone."""

    async def play() -> list[float]:
        mover, beats = new_mover(clock), 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.001)
                beats += 1

        ticking = mover.main = asyncio.ensure_future(tick())
        await asyncio.sleep(0)
        alone = await move(mover, 3600)
        beating = asyncio.ensure_future(beat())
        fine = await move(mover, 3600)
        ticking.cancel()
        beating.cancel()
        return [alone.steps, alone.moved_ms, fine.steps, fine.moved_ms, beats]

    return asyncio.run(play())


def test_the_servers_own_tick_costs_no_steps_and_the_finest_beat_not_more_than_are_allowed() -> None:
    alone, moved, fine, further, beats = in_a_process_of_its_own(heartbeat)
    assert alone <= 2
    assert STEPS / 2 < fine <= STEPS + 2
    assert 3_590_000 < moved <= 3_600_001
    assert 2 * 3_590_000 < further <= 2 * 3_600_001
    assert beats >= fine - 1


def resting(clock: Clock) -> list[object]:
    """Nothing is moved, but what is ready runs."""

    async def play() -> list[object]:
        diary, loop, mover = Diary(), asyncio.get_running_loop(), new_mover(clock)

        def chain(left: int) -> None:
            loop.call_soon(chain, left - 1) if left else diary.note("ran")

        loop.call_later(300.0, diary.note, "timer")
        loop.call_soon(chain, 20)
        moved = await move(mover, 0.0)
        return [moved.moved_ms, moved.steps, moved.why, clock.moved, diary.order]

    return asyncio.run(play())


def test_with_no_seconds_nothing_is_moved_and_all_that_is_ready_has_run() -> None:
    assert in_a_process_of_its_own(resting) == [0.0, 0, "", 0.0, ["ran"]]


def restless(clock: Clock) -> list[object]:
    """A task that never lets the loop be idle, and a timer."""
    mover_module.BUSY_SECONDS = SHORT  # or the test would take its three seconds

    async def play() -> list[object]:
        diary, mover = Diary(), new_mover(clock)

        async def spin() -> None:
            while True:  # noqa: ASYNC110  # that is what is wrong with it
                await asyncio.sleep(0)

        spinning = asyncio.ensure_future(spin())
        asyncio.get_running_loop().call_later(50.0, diary.note, "timer")
        before = mover.restless
        moved = await move(mover, 60.0)
        spinning.cancel()
        return [before, mover.restless, moved.why, diary.order]

    return asyncio.run(play())


def test_a_loop_that_is_never_idle_does_not_hang_it_and_is_known_from_then_on() -> None:
    assert in_a_process_of_its_own(restless) == [False, True, "", ["timer"]]


# Clients.


class Protocol(Carrier):
    """A server's protocol with a wire to nobody."""

    def __init__(self, name: str) -> None:
        self.hangup_wire = Wire(_Nobody())
        self.hangup_wire.name = name
        self.hangup_wire.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        self.hangup_wire.hear(b"GET / HTTP/1.1\r\n\r\n")


class _Nobody:
    def write(self, data: bytes) -> None:
        """To nobody."""


def owing(clock: Clock, *, frame: bytes = b"", gone: str = "", answers: bool = True) -> list[object]:
    """A ping, or a Close frame, that a client may answer, while a timer waits to fire."""
    mover_module.OWING_SECONDS = 20.0 if answers else SHORT  # the test cannot wait for it

    async def play() -> list[object]:
        diary, loop, mover = Diary(), asyncio.get_running_loop(), new_mover(clock)
        protocol = Protocol("alice")
        connections: set[object] = {protocol}
        mover.wires._connections = connections
        protocol.hangup_wire.write(frame)
        loop.call_later(1.0, diary.note, "timer")

        def came(other: socket.socket) -> None:
            loop.remove_reader(other)
            other.recv(100)
            diary.note("answer")
            if frame == PING:
                protocol.hangup_wire.hear(Frame(Opcode.PONG, b"").serialize(mask=True))
            else:
                connections.clear()

        with said_late("hello" if answers else "") as other:
            loop.add_reader(other, came, other)
            moved = await move(mover, 10.0, gone)
            loop.remove_reader(other)
        return [moved.why, moved.moved_ms > 9_000, diary.order]

    return asyncio.run(play())


PING = Frame(Opcode.PING, b"").serialize(mask=False)
CLOSE = Frame(Opcode.CLOSE, Close(1000, "").serialize()).serialize(mask=False)


def a_ping(clock: Clock) -> object:
    """That is answered."""
    return owing(clock, frame=PING)


def a_close(clock: Clock) -> object:
    """That is answered."""
    return owing(clock, frame=CLOSE)


def to_the_dead(clock: Clock) -> object:
    """A ping that nobody can answer."""
    return owing(clock, frame=PING, gone="alice", answers=False)


def never(clock: Clock) -> object:
    """A ping that somebody could answer, and does not."""
    return owing(clock, frame=PING, answers=False)


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (a_ping, ["", True, ["answer", "timer"]]),
        (a_close, ["", True, ["answer", "timer"]]),
        (to_the_dead, ["", True, ["timer"]]),
        (never, ["owing", False, []]),
    ],
    ids=["a-ping", "a-close-frame", "the-dead-owe-nothing", "one-who-never-answers"],
)
def test_what_a_living_client_owes_is_waited_for_before_anything_is_moved(
    probe: Callable[[Clock], object], expected: list[object]
) -> None:
    assert in_a_process_of_its_own(probe) == expected


# What comes from outside.


def answered(clock: Clock, ask: Callable[[asyncio.StreamReader], Awaitable[bytes]]) -> list[str]:
    """An answer that comes in real time, for which nobody would wait five seconds of the server's."""

    async def play() -> list[str]:
        diary, loop, mover = Diary(), asyncio.get_running_loop(), new_mover(clock)

        async def wait(other: socket.socket) -> None:
            reader, writer = await asyncio.open_connection(sock=other)
            try:
                diary.note((await ask(reader)).decode().strip())
            except TimeoutError:
                diary.note("timed out")
            writer.close()

        with said_late() as other:
            task = asyncio.ensure_future(wait(other))
            loop.call_later(1.0, diary.note, "timer")
            await move(mover, 100.0)
            await task
        return diary.order

    return asyncio.run(play())


async def _plainly(reader: asyncio.StreamReader) -> bytes:
    return await reader.readline()


async def _within(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5.0):
        return await reader.readline()


async def _waited(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readline(), 5.0)


def waited(clock: Clock) -> list[str]:
    """With asyncio.wait_for(), which before Python 3.12 runs what it waits for as a task of its own."""
    return answered(clock, _waited)


def plainly(clock: Clock) -> list[str]:
    """Without a timeout."""
    return answered(clock, _plainly)


def within(clock: Clock) -> list[str]:
    """With asyncio.timeout()."""
    return answered(clock, _within)


@pytest.mark.parametrize("probe", [plainly, within, waited])
def test_an_answer_on_its_way_from_another_server_comes_before_any_timer(probe: Callable[[Clock], list[str]]) -> None:
    assert in_a_process_of_its_own(probe) == ["hello", "timer"]


def silence(clock: Clock) -> list[object]:
    """A task that waits for another server for ever: at rest, anew, and once that is known."""
    mover_module.OUTSIDE_SECONDS = SHORT  # or the test would take its three seconds

    async def play() -> list[object]:
        loop, mover = asyncio.get_running_loop(), new_mover(clock)
        found: list[object] = []

        def waiting() -> int:
            return len(dict(mover.underway.outside(loop)))

        async def listen(other: socket.socket) -> None:
            reader, writer = await asyncio.open_connection(sock=other)
            try:
                await reader.read()
            finally:
                writer.close()

        with said_late("") as one, said_late("") as another:
            tasks = [asyncio.ensure_future(listen(one))]
            await move(mover, 0.0)  # it stands there now, and was waited for
            found.append(waiting())
            tasks.append(asyncio.ensure_future(listen(another)))
            moved = await move(mover, 100.0)
            found += [waiting(), moved.why, moved.moved_ms > 90_000]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return found

    return asyncio.run(play())


def test_one_that_waits_for_ever_is_given_up_and_known_by_its_line_from_then_on() -> None:
    assert in_a_process_of_its_own(silence) == [0, 0, "", True]


def standing(clock: Clock) -> list[object]:
    """A task that waits for another server all the time: when the server is at rest, and when its answer comes."""

    async def play() -> list[object]:
        loop, mover = asyncio.get_running_loop(), new_mover(clock)
        heard = asyncio.Event()

        async def listen(other: socket.socket) -> None:
            reader, writer = await asyncio.open_connection(sock=other)
            await reader.readline()
            heard.set()
            await reader.readexactly(1)  # it stands somewhere else now
            writer.close()

        here, there = socket.socketpair()
        with closing(there):
            task = asyncio.ensure_future(listen(here))
            while not dict(mover.underway.outside(loop)):  # noqa: ASYNC110  # nobody says when a task stands
                await asyncio.sleep(0)
            found: list[object] = [mover.underway.standing]
            mover.underway.stand(loop)
            found += [mover.underway.standing, len(dict(mover.underway.outside(loop)))]
            there.sendall(b"hello\n")
            await heard.wait()
            while not dict(mover.underway.outside(loop)):  # noqa: ASYNC110  # nor again
                await asyncio.sleep(0)
            found.append(len(dict(mover.underway.outside(loop))))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            found.append(mover.underway.standing)
        return found

    return asyncio.run(play())


def test_what_waited_when_the_server_was_at_rest_is_waited_for_only_once_it_has_gone_on() -> None:
    assert in_a_process_of_its_own(standing) == [0, 1, 0, 1, 0]


# Pools and threads.


def pooled(clock: Clock, ask: Callable[[Callable[[], None]], Any]) -> list[str]:
    """Work of a pool that takes real time, and a timer of the server's."""

    async def play() -> list[str]:
        diary, loop, mover = Diary(), asyncio.get_running_loop(), new_mover(clock)
        with said_late() as other:

            def work() -> None:
                os.read(other.fileno(), 10)

            async def wait() -> None:
                await ask(work)
                diary.note("work")

            task = asyncio.ensure_future(wait())
            loop.call_later(1.0, diary.note, "timer")
            await move(mover, 100.0)
            await task
        return diary.order

    return asyncio.run(play())


async def _in_executor(work: Callable[[], None]) -> None:
    await asyncio.get_running_loop().run_in_executor(None, work)


def executor(clock: Clock) -> list[str]:
    """The loop's own pool."""
    return pooled(clock, _in_executor)


def to_thread(clock: Clock) -> list[str]:
    """The same by way of asyncio.to_thread()."""
    return pooled(clock, asyncio.to_thread)


def anyios(clock: Clock) -> list[str]:
    """anyio's pool, in which FastAPI runs plain functions."""
    return pooled(clock, anyio.to_thread.run_sync)


@pytest.mark.parametrize("probe", [executor, to_thread, anyios])
def test_work_that_a_pool_has_is_waited_for(probe: Callable[[Clock], list[str]]) -> None:
    assert in_a_process_of_its_own(probe) == ["work", "timer"]


def sleeper(clock: Clock) -> list[object]:
    """A thread that sleeps, and one that stands where it stands."""

    async def play() -> list[object]:
        mover, released = new_mover(clock), threading.Event()
        began = clock.read()
        woke: list[float] = []

        def sleep() -> None:
            time.sleep(1000.0)
            woke.append(clock.read() - began)

        threads = [threading.Thread(target=sleep, daemon=True), threading.Thread(target=released.wait, daemon=True)]
        for one in threads:
            one.start()
        moved = await move(mover, 2000.0)
        threads[0].join()
        stands = threads[1].is_alive()
        released.set()
        return [woke[0] >= 1000.0, stands, moved.why, moved.moved_ms > 1_990_000]

    return asyncio.run(play())


def test_a_thread_that_sleeps_is_moved_along_and_one_that_waits_for_ever_holds_nothing_up() -> None:
    assert in_a_process_of_its_own(sleeper) == [True, True, "", True]


def working(clock: Clock) -> list[str]:
    """A thread in the application's code that has real work, though it is in no pool."""

    async def play() -> list[str]:
        diary, loop, mover = Diary(), asyncio.get_running_loop(), new_mover(clock)
        with said_late(seconds=0.1) as other:

            def work() -> None:
                os.read(other.fileno(), 10)
                loop.call_soon_threadsafe(diary.note, "work")

            mover_module.THREAD_SECONDS = 20.0  # a busy machine is no reason to fail
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            loop.call_later(1.0, diary.note, "timer")
            await move(mover, 100.0)
            thread.join()
        return diary.order

    return asyncio.run(play())


def test_a_thread_at_work_is_waited_for() -> None:
    assert in_a_process_of_its_own(working) == ["work", "timer"]


# What a timeline says of it.


def test_the_time_that_the_lab_has_moved_is_the_most_that_was_said_by_then() -> None:
    run = Timeline(HEADER, [seen("moved", "", 10.0, ms=500.0), seen("moved", "", 20.0, ms=1500.0)])
    assert [evidence.moved_ms(run, at) for at in (9.0, 10.0, 19.0, 20.0, 99.0)] == [0.0, 500.0, 500.0, 1500.0, 1500.0]


def test_what_is_noticed_after_a_move_took_the_time_that_was_moved_too() -> None:
    run = Timeline(
        HEADER,
        [
            seen("moved", "", 5.0, ms=1000.0),
            seen("injected", "alice", 10.0, "lab"),
            seen("moved", "", 20.0, ms=41_000.0),
            seen("told", "alice", 30.0),
        ],
    )
    assert evidence.noticed_ms(run, "alice") == 20.0 + 40_000.0


def failing(clock: Clock) -> str:
    async def play() -> str:
        mover = new_mover(clock)
        mover.underway = None  # type: ignore[assignment]  # so that it cannot be asked
        return (await move(mover, 60.0)).why

    return asyncio.run(play())


def test_a_loop_that_cannot_be_understood_is_an_answer_and_no_wait_for_ever() -> None:
    assert in_a_process_of_its_own(failing).startswith("AttributeError: ")
