"""The contract of a link, played on every implementation: two raw sockets, a link between them, and a fault.

Toxiproxy is a real process. Where it is not installed its half is skipped, unless LAB_REQUIRE names "toxiproxy".
"""

from __future__ import annotations

import hashlib
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import pytest

from lab.backends.faultlink import Direction, Link
from lab.backends.link import Links
from lab.backends.toxiproxy import Toxiproxy, ToxiproxyLink
from lab.clock import Bracket, now
from tests import real_toxiproxy
from tests.link_rig import (
    HOST,
    PATIENCE,
    SILENCE,
    SLACK,
    Ends,
    Open,
    Rig,
    close_with_rst,
    end,
    ends,
    exactly,
    free_port,
    silent,
    talk,
)


@pytest.fixture(scope="module")
def toxiproxy_port() -> Iterator[int]:
    with real_toxiproxy.running() as port:
        yield port


@pytest.fixture
def toxiproxy_server(toxiproxy_port: int) -> Iterator[Toxiproxy]:
    with Toxiproxy(HOST, toxiproxy_port, bind=HOST) as server:
        yield server


@pytest.fixture
def open_embedded() -> Iterator[Open]:
    with Links() as links:
        yield links.open


@pytest.fixture
def open_toxiproxy(toxiproxy_server: Toxiproxy) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_link(name: str, upstream: tuple[str, int]) -> Link:
            listen = free_port()
            link = toxiproxy_server.link(name, f"{upstream[0]}:{upstream[1]}", listen, (HOST, listen))
            stack.callback(link.close)
            return link

        yield open_link


@pytest.fixture(params=["embedded", "toxiproxy"])
def open_link(request: pytest.FixtureRequest) -> Open:
    opened: Open = request.getfixturevalue(f"open_{request.param}")
    return opened


@pytest.fixture
def open_rig(open_link: Open) -> Iterator[Callable[[str], Rig]]:
    with ExitStack() as stack:

        def make(name: str) -> Rig:
            listener = socket.create_server((HOST, 0))
            listener.settimeout(PATIENCE)
            rig = Rig(open_link(name, listener.getsockname()), listener)
            if isinstance(rig.link, ToxiproxyLink) and sys.platform == "linux":
                rig.link.last_byte = rig.last_byte
            stack.callback(rig.close)
            return rig

        yield make


@pytest.fixture
def rig(open_rig: Callable[[str], Rig]) -> Rig:
    return open_rig("alice")


# What a healthy link does.


def test_bytes_go_through_both_ways(rig: Rig) -> None:
    talk(rig.connect())


@pytest.mark.parametrize("way", Direction, ids=lambda way: way.value)
def test_small_writes_do_not_wait_for_each_other(rig: Rig, way: Direction) -> None:
    connection = rig.connect()
    into, out = connection.both() if way is Direction.UPSTREAM else reversed(connection.both())
    into.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    before = now()
    for _ in range(50):  # Nagle's algorithm would hold the second one until a delayed ACK, 40 ms later
        into.sendall(b"head")
        time.sleep(0.001)  # time is the point: two writes at once would be one segment, and wait for nobody
        into.sendall(b"body")
        exactly(out, 8)
        out.sendall(b"ok")
        exactly(into, 2)
    assert now() - before < 50 * 0.020


def test_eight_mebibytes_arrive_whole_both_ways_at_once(rig: Rig) -> None:
    connection, size = rig.connect(), 8 << 20
    sent = [random.randbytes(size) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        pool.submit(connection.client.sendall, sent[0])
        pool.submit(connection.server.sendall, sent[1])
        got = list(pool.map(exactly, (connection.server, connection.client), (size, size)))
    assert [hashlib.sha256(data).digest() for data in got] == [hashlib.sha256(data).digest() for data in sent]


def test_a_client_that_sends_and_leaves_at_once_is_heard(rig: Rig) -> None:
    for _ in range(20):
        client = rig.dial()
        client.sendall(b"I was here")
        client.close()
        server, _ = rig.listener.accept()
        with server:
            server.settimeout(PATIENCE)
            assert exactly(server, 10) == b"I was here"
            assert end(server) == "FIN"


def test_a_server_that_speaks_first_and_leaves_at_once_is_heard(rig: Rig) -> None:
    for _ in range(20):
        client = rig.dial()
        server, _ = rig.listener.accept()
        server.sendall(b"welcome")
        server.close()
        assert exactly(client, 7) == b"welcome"
        assert end(client) == "FIN"


def test_when_the_client_closes_the_server_gets_a_fin(rig: Rig) -> None:
    connection = rig.connect()
    connection.client.sendall(b"bye")
    connection.client.close()
    assert exactly(connection.server, 3) == b"bye"
    assert end(connection.server) == "FIN"


def test_when_the_server_closes_the_client_gets_a_fin(rig: Rig) -> None:
    connection = rig.connect()
    connection.server.sendall(b"bye")
    connection.server.close()
    assert exactly(connection.client, 3) == b"bye"
    assert end(connection.client) == "FIN"


def test_half_a_close_closes_both_directions(rig: Rig) -> None:
    connection = rig.connect()
    connection.client.shutdown(socket.SHUT_WR)
    assert ends(connection) == ("FIN", "FIN")


@pytest.mark.parametrize("armed", [False, True], ids=["plain", "armed"])
@pytest.mark.parametrize("who", ["client", "server"])
def test_an_rst_from_one_end_is_a_fin_at_the_other_unless_armed(rig: Rig, who: str, armed: bool) -> None:
    if armed:
        rig.link.arm()
    connection = rig.connect()
    talk(connection)
    gone, other = connection.both() if who == "client" else reversed(connection.both())
    close_with_rst(gone)
    assert end(other) == ("RST" if armed else "FIN")


def test_a_refused_server_is_an_accepted_connection_that_ends(rig: Rig) -> None:
    rig.listener.close()
    assert end(rig.dial()) == "FIN"


def test_a_slow_reader_holds_the_sender_back_and_loses_nothing(rig: Rig) -> None:
    connection, chunk, limit = rig.connect(), random.randbytes(1 << 16), 64 << 20
    connection.client.settimeout(SILENCE)  # as long as this with no room is back-pressure, not a pause
    sent = 0
    with suppress(TimeoutError):
        while sent < limit:
            sent += connection.client.send(chunk[sent % len(chunk) :])
    assert sent < limit
    got = exactly(connection.server, sent)
    whole = chunk * (sent // len(chunk) + 1)
    assert got == whole[:sent]


# Cut.


def test_cut_is_a_fin_at_both_ends(rig: Rig) -> None:
    connections = [rig.connect(), rig.connect()]
    talk(connections[1])
    rig.link.cut()
    assert [ends(connection) for connection in connections] == [("FIN", "FIN")] * 2


def test_while_cut_new_connections_are_refused_and_mended_they_pass(rig: Rig) -> None:
    rig.link.cut()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            rig.dial()
    rig.link.mend()
    talk(rig.connect())


def test_cut_reaches_a_connection_the_moment_it_is_open(rig: Rig) -> None:
    for _ in range(20):
        client = rig.dial()
        rig.link.cut()
        assert end(client) in {"FIN", "RST"}  # the kernel had accepted it, the link may not have
        rig.link.mend()


def test_cutting_twice_and_mending_twice_are_harmless(rig: Rig) -> None:
    rig.link.cut()
    rig.link.cut()
    rig.link.mend()
    rig.link.mend()
    talk(rig.connect())


# Reset.


def test_reset_is_an_rst_at_both_ends_even_of_an_idle_connection(rig: Rig) -> None:
    rig.link.arm()
    connection = rig.connect()
    rig.link.reset()
    assert ends(connection) == ("RST", "RST")


def test_reset_is_an_rst_the_moment_a_connection_is_open(rig: Rig) -> None:
    rig.link.arm()
    for _ in range(20):
        connection = rig.connect()
        rig.link.reset()
        assert ends(connection) == ("RST", "RST")


def test_reset_is_an_rst_at_both_ends_of_a_busy_connection(rig: Rig) -> None:
    rig.link.arm()
    connection = rig.connect()
    talk(connection)
    rig.link.stall()
    connection.client.sendall(b"on its way")
    rig.link.reset()
    assert ends(connection) == ("RST", "RST")


def test_after_a_reset_new_connections_pass_and_are_armed_again(rig: Rig) -> None:
    rig.link.arm()
    rig.connect()
    rig.link.reset()
    again = rig.connect()
    talk(again)
    rig.link.reset()
    assert ends(again) == ("RST", "RST")


def test_an_armed_connection_ends_with_an_rst_however_it_ends(rig: Rig) -> None:
    rig.link.arm()
    cut, left = rig.connect(), rig.connect()
    left.client.close()
    assert end(left.server) == "RST"
    rig.link.cut()
    assert ends(cut) == ("RST", "RST")


def test_mend_disarms_new_connections(rig: Rig) -> None:
    rig.link.arm()
    rig.link.mend()
    connection = rig.connect()
    rig.link.cut()
    assert ends(connection) == ("FIN", "FIN")


# Stall.


def test_a_stall_lets_nothing_through_and_mend_delivers_it_in_order(rig: Rig) -> None:
    connection = rig.connect()
    talk(connection)
    rig.link.stall()
    for number in range(20):
        connection.client.sendall(b"%02d" % number)
        connection.server.sendall(b"%02d" % (99 - number))
    assert silent(connection.server)
    assert silent(connection.client)
    rig.link.mend()
    assert exactly(connection.server, 40) == b"".join(b"%02d" % number for number in range(20))
    assert exactly(connection.client, 40) == b"".join(b"%02d" % (99 - number) for number in range(20))
    talk(connection)


def test_a_stall_loses_nothing_of_a_large_payload(rig: Rig) -> None:
    connection, payload = rig.connect(), random.randbytes(8 << 20)
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(connection.client.sendall, payload)
        start = exactly(connection.server, 1 << 20)  # the stall comes in the middle
        reading = pool.submit(exactly, connection.server, len(payload) - len(start))
        rig.link.stall()
        rig.link.mend()
        assert start + reading.result() == payload
        sending.result()


def test_a_stall_meets_connections_opened_under_it(rig: Rig) -> None:
    rig.link.stall()
    connection = rig.connect()
    connection.client.sendall(b"later")
    assert silent(connection.server)
    rig.link.mend()
    assert exactly(connection.server, 5) == b"later"


def test_stalling_twice_lets_nothing_out(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.stall()
    connection.client.sendall(b"held")
    rig.link.stall()
    assert silent(connection.server)
    rig.link.mend()
    assert exactly(connection.server, 4) == b"held"


def test_a_stalled_fin_waits_behind_the_bytes_before_it(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.stall()
    connection.client.sendall(b"last words")
    connection.client.close()
    assert silent(connection.server)
    rig.link.mend()
    assert exactly(connection.server, 10) == b"last words"
    assert end(connection.server) == "FIN"


def test_a_fin_with_nothing_before_it_passes_a_stall(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.stall()
    connection.client.close()
    assert end(connection.server) == "FIN"


def test_a_stalled_connection_can_be_cut(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.stall()
    connection.client.sendall(b"lost")
    assert silent(connection.server)
    rig.link.cut()
    assert ends(connection) == ("FIN", "FIN")
    rig.link.mend()
    talk(rig.connect())


# Blackhole.


def test_a_blackhole_loses_bytes_both_ways_and_mend_closes_the_connection(rig: Rig) -> None:
    connection = rig.connect()
    talk(connection)
    rig.link.blackhole()
    connection.client.sendall(b"lost")
    connection.server.sendall(b"lost")
    assert silent(connection.server)
    assert silent(connection.client)
    rig.link.mend()
    assert ends(connection) == ("FIN", "FIN")
    talk(rig.connect())


@pytest.mark.parametrize("way", Direction, ids=lambda way: way.value)
def test_a_blackhole_one_way_leaves_the_other_alone(rig: Rig, way: Direction) -> None:
    connection = rig.connect()
    rig.link.blackhole(way)
    into, out = connection.both() if way is Direction.UPSTREAM else reversed(connection.both())
    into.sendall(b"lost")
    assert silent(out)
    out.sendall(b"kept")
    assert exactly(into, 4) == b"kept"
    rig.link.mend()
    assert ends(connection) == ("FIN", "FIN")


def test_a_second_blackhole_adds_its_direction(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.blackhole(Direction.UPSTREAM)
    rig.link.blackhole(Direction.UPSTREAM, Direction.DOWNSTREAM)
    connection.server.sendall(b"lost")
    assert silent(connection.client)


def test_a_fin_passes_a_blackhole(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.blackhole()
    connection.client.sendall(b"lost")
    connection.client.close()
    assert end(connection.server) == "FIN"


def test_a_blackhole_meets_connections_opened_under_it(rig: Rig) -> None:
    rig.link.blackhole()
    connection = rig.connect()
    connection.client.sendall(b"lost")
    assert silent(connection.server)
    rig.link.mend()
    assert ends(connection) == ("FIN", "FIN")


# Latency.

DELAY = 0.1
"""Seconds: much more than a healthy link ever takes."""


@pytest.mark.parametrize("way", Direction, ids=lambda way: way.value)
def test_latency_delays_every_chunk_by_what_was_asked(rig: Rig, way: Direction) -> None:
    connection = rig.connect()
    rig.link.latency(round(DELAY * 1000))
    into, out = connection.both() if way is Direction.UPSTREAM else reversed(connection.both())
    for _ in range(3):
        sent = now()
        into.sendall(b"late")
        exactly(out, 4)
        assert DELAY <= now() - sent <= DELAY + SLACK


def test_latency_delays_chunks_together_and_not_one_after_the_other(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.latency(round(DELAY * 1000))
    before = now()
    for number in range(100):
        connection.client.sendall(b"%03d" % number)
        time.sleep(0.001)  # time is the point: without it the hundred would arrive, and be delayed, as one
    assert exactly(connection.server, 300) == b"".join(b"%03d" % number for number in range(100))
    assert now() - before <= 20 * DELAY


def test_a_fin_follows_the_last_delayed_chunk(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.latency(round(DELAY * 1000))
    sent = now()
    connection.client.sendall(b"last words")
    connection.client.close()
    assert exactly(connection.server, 10) == b"last words"
    assert end(connection.server) == "FIN"
    assert now() - sent >= DELAY


def test_latency_can_be_changed_and_mend_delivers_at_once(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.latency(60_000)
    rig.link.latency(30_000)
    connection.client.sendall(b"one")
    assert silent(connection.server)
    connection.client.sendall(b"two")
    rig.link.mend()
    assert exactly(connection.server, 6) == b"onetwo"
    talk(connection)


def test_faults_add_up(rig: Rig) -> None:
    connection = rig.connect()
    rig.link.latency(1)
    rig.link.stall()
    connection.client.sendall(b"held")
    assert silent(connection.server)
    rig.link.mend()
    assert exactly(connection.server, 4) == b"held"


# Idle.

MEMORY = 0.3
"""Seconds after which a link forgets: more than a chunk takes on a busy machine, and less than PATIENCE."""


@dataclass
class Idle:
    """A connection through a link that forgets, and what was said of that."""

    rig: Rig
    connection: Ends
    bracket: Bracket
    told: list[Bracket] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def forgotten(self, bracket: Bracket) -> None:
        self.told.append(bracket)
        self.done.set()


@pytest.fixture
def idle(rig: Rig) -> Idle:
    if isinstance(rig.link, ToxiproxyLink) and rig.link.last_byte is None:
        pytest.skip("only Linux says when a socket last heard something, and Toxiproxy does not")
    rig.link.arm()
    made = Idle(rig, rig.connect(), Bracket(0.0, 0.0))
    talk(made.connection)
    made.bracket = rig.link.idle(MEMORY, made.forgotten)
    return made


def test_what_was_silent_is_forgotten_and_nobody_is_told(idle: Idle) -> None:
    assert idle.done.wait(PATIENCE)
    (bracket,) = idle.told
    assert idle.bracket.after + MEMORY <= bracket.before <= bracket.after <= idle.bracket.after + MEMORY + SLACK
    assert silent(idle.connection.client)
    assert silent(idle.connection.server)


@pytest.mark.parametrize("who", ["client", "server"])
def test_who_speaks_of_what_is_forgotten_gets_an_rst_and_is_not_heard(idle: Idle, who: str) -> None:
    assert idle.done.wait(PATIENCE)
    speaker, other = idle.connection.both() if who == "client" else reversed(idle.connection.both())
    speaker.sendall(b"anybody?")
    assert end(speaker) == "RST"
    with suppress(TimeoutError):
        other.settimeout(SILENCE)
        assert end(other) == "RST"  # where both ends are one; else it hears nothing


def test_who_hangs_up_on_what_is_forgotten_sends_no_fin_across(idle: Idle) -> None:
    assert idle.done.wait(PATIENCE)
    idle.connection.client.close()
    with suppress(TimeoutError):
        idle.connection.server.settimeout(SILENCE)
        assert end(idle.connection.server) == "RST"


@pytest.mark.parametrize("way", Direction, ids=lambda way: way.value)
def test_a_byte_in_time_either_way_keeps_it_alive(idle: Idle, way: Direction) -> None:
    into, out = idle.connection.both() if way is Direction.UPSTREAM else reversed(idle.connection.both())
    while now() < idle.bracket.after + 3 * MEMORY:
        into.sendall(b"x")
        exactly(out, 1)
        time.sleep(MEMORY / 10)  # time is the point
    assert not idle.told
    assert idle.done.wait(PATIENCE)  # and then it is not


def test_a_connection_that_ended_in_time_is_not_forgotten(idle: Idle) -> None:
    idle.connection.client.close()
    assert end(idle.connection.server) == "RST"  # as ever, of what is armed
    assert not idle.done.wait(2 * MEMORY)


def test_a_link_that_nobody_uses_forgets_who_comes_later(rig: Rig) -> None:
    if isinstance(rig.link, ToxiproxyLink) and rig.link.last_byte is None:
        pytest.skip("as above")
    rig.link.arm()
    done = threading.Event()
    rig.link.idle(MEMORY, lambda _: done.set())
    assert not done.wait(2 * MEMORY)
    connection = rig.connect()
    talk(connection)
    assert done.wait(PATIENCE)
    connection.server.sendall(b"anybody?")
    assert end(connection.server) == "RST"


def test_mended_in_time_it_is_not_forgotten(idle: Idle) -> None:
    idle.rig.link.mend()
    assert not idle.done.wait(2 * MEMORY)
    talk(idle.connection)


def test_what_is_forgotten_cannot_be_mended_but_the_link_can(idle: Idle) -> None:
    assert idle.done.wait(PATIENCE)
    idle.rig.link.mend()
    assert ends(idle.connection) == ("RST", "RST")
    talk(idle.rig.connect())


def test_all_connections_of_a_link_are_forgotten_together(idle: Idle) -> None:
    other = idle.rig.connect()
    while now() < idle.bracket.after + 2 * MEMORY:
        talk(other)
        time.sleep(MEMORY / 10)  # time is the point
    talk(idle.connection)
    assert idle.done.wait(PATIENCE)
    for connection in (idle.connection, other):
        connection.client.sendall(b"anybody?")
        assert end(connection.client) == "RST"
    assert len(idle.told) == 1


# All faults.


def test_links_are_independent(open_rig: Callable[[str], Rig]) -> None:
    alice, bob = open_rig("alice"), open_rig("bob")
    hers, his = alice.connect(), bob.connect()
    alice.link.stall()
    hers.client.sendall(b"held")
    talk(his)
    alice.link.cut()
    assert end(hers.client) == "FIN"
    talk(his)
    talk(bob.connect())


def seen_end(sock: socket.socket) -> float:
    end(sock)
    return now()


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_the_bracket_holds_the_moment_both_ends_saw_it(rig: Rig, fault: str) -> None:
    rig.link.arm()
    connection = rig.connect()
    with ThreadPoolExecutor() as pool:
        seen: list[Future[float]] = [pool.submit(seen_end, sock) for sock in connection.both()]
        asked = now()
        bracket: Bracket = getattr(rig.link, fault)()
        answered = now()
    assert asked <= bracket.before <= bracket.after <= answered
    for future in seen:
        assert bracket.before <= future.result() <= bracket.after + SLACK


@pytest.mark.parametrize("fault", ["stall", "blackhole", "mend"])
def test_every_bracket_lies_within_the_call(rig: Rig, fault: str) -> None:
    rig.connect()
    asked = now()
    bracket: Bracket = getattr(rig.link, fault)()
    assert asked <= bracket.before <= bracket.after <= now()


def test_a_link_survives_a_hundred_connections_under_every_fault(rig: Rig) -> None:
    for turn in range(20):
        for _ in range(5):
            rig.connect().client.sendall(b"x")
        (rig.link.stall, rig.link.cut, rig.link.blackhole, lambda: rig.link.latency(5))[turn % 4]()
        rig.link.mend()
    talk(rig.connect())
