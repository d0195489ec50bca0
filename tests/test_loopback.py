"""Whatever the lab starts listens on the loopback interface and nowhere else, in each kind of run."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from lab.backends.engine import Engine
from lab.backends.removal import PROJECT
from tests.leftovers import client_of
from tests.place import Place, new_place

LOOPBACK = {"127.0.0.1", "::1"}


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with new_place(tmp_path_factory.mktemp("loopback")) as here:
        yield here


def listening(place: Place) -> set[str]:
    """The addresses on which processes that were started there listen now."""
    found = set()
    for process in place.processes():
        with contextlib.suppress(psutil.Error):
            for one in process.net_connections(kind="inet"):
                if one.status == psutil.CONN_LISTEN:
                    found.add(one.laddr.ip)
    return found


def during(place: Place, run: subprocess.Popen[str]) -> set[str]:
    """All of them, looked at again and again until the command ends."""
    found: set[str] = set()
    while run.poll() is None:
        found |= listening(place)
    return found


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "args",
    [
        ("run", "kill", "pause", "--backend", "embedded"),
        ("check", "lab.servers.correct.exit_stack:app", "--case", "kill", "--case", "stop"),
        ("run", "kill", "--backend", "embedded", "--server", "lab.servers.correct.exit_stack:app"),
    ],
    ids=["run", "check", "run-of-another-server"],
)
def test_processes_listen_on_the_loopback_interface_only(
    args: tuple[str, ...], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_HOST", "0.0.0.0")  # what a caller's environment says is not what actors get
    (place.root / "scenarios").rename(place.root / "none")
    with place.lab(*args) as run:
        found = during(place, run)
        said = run.communicate()
    assert run.returncode in (0, 1, 2), said
    assert found, said
    assert found <= LOOPBACK


@pytest.mark.timeout(120)
def test_containers_publish_ports_on_the_loopback_interface_only(place: Place, docker_engine: Engine) -> None:
    hosts: set[str] = set()
    with place.lab("run", "hang", "--backend", "docker") as run, client_of(docker_engine) as client:
        while run.poll() is None and not hosts:
            for one in client.containers.list(filters={"label": PROJECT}, ignore_removed=True):
                if one.labels[PROJECT].startswith(place.project):
                    ports = one.attrs["NetworkSettings"]["Ports"]
                    hosts |= {port["HostIp"] for bound in ports.values() for port in bound or ()}
        run.terminate()
        said = run.communicate(timeout=60)
    assert hosts, said
    assert hosts <= LOOPBACK
