"""The adapter to Toxiproxy: the gaps of the package, and an API that is not there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import requests
import toxiproxy.api

from lab.backends.faultlink import LinkError
from lab.backends.toxiproxy import Toxiproxy, ToxiproxyLink
from lab.clock import Bracket
from tests import real_toxiproxy
from tests.link_rig import HOST, PATIENCE, SILENCE, free_port


@pytest.fixture(scope="module")
def toxiproxy_port() -> Iterator[int]:
    with real_toxiproxy.running() as port:
        yield port


@pytest.fixture
def toxiproxy_server(toxiproxy_port: int) -> Iterator[Toxiproxy]:
    with Toxiproxy(HOST, toxiproxy_port, bind=HOST) as server:
        yield server


def test_what_was_not_armed_cannot_be_reset(toxiproxy_server: Toxiproxy) -> None:
    listen = free_port()
    link = toxiproxy_server.link("alice", f"{HOST}:1", listen, (HOST, listen))
    with pytest.raises(LinkError, match="'alice' is not armed"):
        link.reset()
    with pytest.raises(LinkError, match="'alice' is not armed"):
        link.idle(1.0, lambda _: None)
    link.close()


def test_a_link_of_which_nobody_sees_the_bytes_cannot_forget(toxiproxy_server: Toxiproxy) -> None:
    listen = free_port()
    link = toxiproxy_server.link("alice", f"{HOST}:1", listen, (HOST, listen))
    link.arm()
    with pytest.raises(LinkError, match="'alice' does not see bytes"):
        link.idle(1.0, lambda _: None)
    link.close()


def test_closing_a_link_ends_its_watch(toxiproxy_server: Toxiproxy) -> None:
    threads = set(threading.enumerate())
    listen = free_port()
    link = toxiproxy_server.link("alice", f"{HOST}:1", listen, (HOST, listen))
    link.arm()
    link.last_byte = lambda: None
    link.idle(60.0, lambda _: None)
    link.idle(60.0, lambda _: None)
    assert len(set(threading.enumerate()) - threads) == 1
    link.close()
    assert set(threading.enumerate()) == threads


def test_a_link_whose_toxiproxy_has_gone_forgets_nothing_and_says_nothing() -> None:
    told: list[Bracket] = []
    with real_toxiproxy.running() as port, Toxiproxy(HOST, port, bind=HOST) as server:
        listen = free_port()
        link = server.link("alice", f"{HOST}:1", listen, (HOST, listen))
        link.arm()
        looked = threading.Event()
        gone = threading.Event()

        def last_byte() -> float:
            looked.set()
            assert gone.wait(PATIENCE)
            return 0.0

        link.last_byte = last_byte
        link.idle(SILENCE, told.append)
        assert looked.wait(PATIENCE)
    gone.set()
    with pytest.raises(LinkError, match=r"^no Toxiproxy answers"):
        link.mend()
    assert not told


def test_an_api_that_is_not_there_is_one_clear_line() -> None:
    port = free_port()
    with Toxiproxy(HOST, port) as nobody:
        for call in (nobody.version, lambda: nobody.wait(0.05), lambda: nobody.link("alice", "a:1", 1, (HOST, 1))):
            with pytest.raises(LinkError) as caught:
                call()
            assert str(caught.value) == f"no Toxiproxy answers at {HOST}:{port}"
            assert caught.value.__suppress_context__


def test_an_api_that_says_nothing_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as mute, Toxiproxy(HOST, mute.getsockname()[1]) as server:
        monkeypatch.setattr("lab.backends.toxihttp.ANSWER_SECONDS", SILENCE)
        with pytest.raises(LinkError, match="takes too long"):
            server.version()


def test_an_api_that_goes_away_is_one_clear_line() -> None:
    with real_toxiproxy.running() as port, Toxiproxy(HOST, port, bind=HOST) as server:
        listen = free_port()
        link = server.link("alice", f"{HOST}:1", listen, (HOST, listen))
    for call in (link.arm, link.cut, link.stall, link.blackhole, link.mend, link.close):
        with pytest.raises(LinkError, match=r"^no Toxiproxy answers at"):
            call()


@pytest.mark.parametrize("name", ["a/b", "", "..", "a b", "a?b"])
def test_a_name_toxiproxy_cannot_find_again_is_refused(toxiproxy_server: Toxiproxy, name: str) -> None:
    with pytest.raises(LinkError, match="cannot be named"):
        toxiproxy_server.link(name, f"{HOST}:1", free_port(), (HOST, 1))


def test_a_busy_port_is_one_clear_line(toxiproxy_server: Toxiproxy) -> None:
    with socket.create_server((HOST, 0)) as busy, pytest.raises(LinkError, match="address already in use"):
        toxiproxy_server.link("alice", f"{HOST}:1", busy.getsockname()[1], (HOST, 1))


def test_a_link_of_the_same_name_takes_the_place_of_the_old_one(toxiproxy_server: Toxiproxy) -> None:
    ports = [free_port(), free_port()]
    links: list[ToxiproxyLink] = [toxiproxy_server.link("alice", f"{HOST}:1", port, (HOST, port)) for port in ports]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(links[0].address, PATIENCE)
    socket.create_connection(links[1].address, PATIENCE).close()
    links[1].close()


def test_proxy_variables_do_not_lead_the_adapter_astray(
    toxiproxy_server: Toxiproxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{HOST}:1")
    monkeypatch.setenv("NO_PROXY", "")
    assert toxiproxy_server.version() == "2.12.0"


def test_the_package_is_given_back_as_it_was(toxiproxy_server: Toxiproxy) -> None:
    toxiproxy_server.version()
    with Toxiproxy(HOST, free_port()) as nobody, pytest.raises(LinkError):
        nobody.version()
    toxiproxy_server.version()
    assert toxiproxy.api.requests is requests
    assert (toxiproxy.api.APIConsumer.host, toxiproxy.api.APIConsumer.port) == ("127.0.0.1", 8474)
