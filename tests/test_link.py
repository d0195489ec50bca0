"""What only the embedded link can do, and what it leaves behind: nothing."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psutil
import pytest

from lab.backends.faultlink import LinkError
from lab.backends.link import Links
from tests.link_rig import HOST, PATIENCE, Rig, end, ends, free_port, silent, talk


@pytest.fixture
def links() -> Iterator[Links]:
    with Links() as opened:
        yield opened


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as sock:
        yield sock


def test_reset_needs_no_arming(links: Links, listener: socket.socket) -> None:
    rig = Rig(links.open("alice", listener.getsockname()), listener)
    connection = rig.connect()
    rig.link.reset()
    assert ends(connection) == ("RST", "RST")
    rig.close()


@pytest.mark.parametrize("who", ["client", "server"])
def test_cut_is_a_fin_even_for_an_end_whose_bytes_nobody_read(links: Links, listener: socket.socket, who: str) -> None:
    rig = Rig(links.open("alice", listener.getsockname()), listener)
    for _ in range(20):
        connection = rig.connect()
        flooding = connection.client if who == "client" else connection.server
        flooding.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                flooding.send(bytes(1 << 16))
        rig.link.cut()
        flooding.settimeout(PATIENCE)
        assert end(flooding) == "FIN"
        rig.link.mend()
    rig.close()


def test_a_link_follows_a_server_to_its_new_port(links: Links, listener: socket.socket) -> None:
    link = links.open("alice", (HOST, free_port()))
    rig = Rig(link, listener)
    assert end(rig.dial()) == "FIN"
    link.aim(listener.getsockname())
    talk(rig.connect())
    rig.close()


@pytest.mark.parametrize("who", ["client", "server"])
def test_of_what_is_forgotten_the_other_end_hears_nothing_until_it_speaks_too(
    links: Links, listener: socket.socket, who: str
) -> None:
    rig, done = Rig(links.open("alice", listener.getsockname()), listener), threading.Event()
    connection = rig.connect()
    rig.link.idle(0.05, lambda _: done.set())
    assert done.wait(PATIENCE)
    speaker, other = connection.both() if who == "client" else reversed(connection.both())
    speaker.sendall(b"anybody?")
    assert end(speaker) == "RST"
    assert silent(other)
    other.sendall(b"anybody?")
    assert end(other) == "RST"
    rig.close()


def test_a_connection_opened_after_another_was_forgotten_passes_and_is_forgotten_in_its_turn(
    links: Links, listener: socket.socket
) -> None:
    rig, done = Rig(links.open("alice", listener.getsockname()), listener), threading.Semaphore(0)
    rig.connect()
    rig.link.idle(0.05, lambda _: done.release())
    assert done.acquire(timeout=PATIENCE)
    again = rig.connect()
    talk(again)
    assert done.acquire(timeout=PATIENCE)
    again.client.sendall(b"anybody?")
    assert end(again.client) == "RST"
    rig.close()


@pytest.mark.parametrize("error", [None, ValueError("from the test")], ids=["normally", "with an exception"])
@pytest.mark.parametrize("fault", [None, "stall", "latency", "cut", "idle"])
def test_leaving_the_links_leaves_nothing(error: Exception | None, fault: str | None) -> None:
    process, threads = psutil.Process(), set(threading.enumerate())
    listener = socket.create_server((HOST, 0))
    gc.collect()  # what earlier tests left to the collector is not ours
    before = process.num_fds()
    with ExitStack() as stack:
        if error is not None:
            stack.enter_context(pytest.raises(ValueError, match="from the test"))
        links = stack.enter_context(Links())
        rigs = [Rig(links.open(name, listener.getsockname()), listener) for name in ("alice", "bob")]
        connections = [rig.connect() for rig in rigs for _ in range(3)]
        if fault == "latency":
            rigs[0].link.latency(1000)
        elif fault == "idle":
            rigs[0].link.idle(60.0, lambda _: None)
        elif fault is not None:
            getattr(rigs[0].link, fault)()
        connections[5].client.sendall(b"under way")
        rigs[1].dial()
        if error is not None:
            raise error
    assert set(threading.enumerate()) == threads
    for connection in connections[3:]:
        assert end(connection.client) == "FIN"
    for rig in rigs:
        with pytest.raises(ConnectionRefusedError):
            rig.dial()
        rig.hang_up()
    assert process.num_fds() == before
    listener.close()


def test_closed_links_say_so() -> None:
    with Links() as links:
        link = links.open("alice", (HOST, 1))
        with pytest.raises(LinkError, match="already"):
            links.open("alice", (HOST, 1))
    with pytest.raises(LinkError, match="'alice': the links are closed"):
        link.cut()
    with pytest.raises(LinkError, match="closed"):
        links.open("bob", (HOST, 1))
