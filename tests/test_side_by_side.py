"""Labs on one engine: two of them do not meet, one of them is played on by one command, and none is open to others."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from docker.errors import NotFound

from lab.backends.compose import RUNNER, SESSION, UNTIL
from lab.backends.engine import Engine
from lab.backends.lease import Fate, fate, me
from lab.backends.removal import PROJECT
from lab.backends.sweep import sweep_containers
from tests.leftovers import client_of, states, things, until
from tests.place import Place

ROOT = Path(__file__).resolve().parent.parent

CALM = '''"""Calm: nothing happens."""

from lab import Connect, Pause, Rest, Say, Scenario, StillServed

scenario = Scenario(
    title="calm",
    given=(Connect("alice"), Connect("bob")),
    when=(Say("alice"),),
    within=1.0,
    then=(StillServed("alice"), StillServed("bob")),
    hint="none",
)
'''


@pytest.fixture
def places(tmp_path_factory: pytest.TempPathFactory) -> list[Place]:
    made = []
    for _ in range(2):
        root = tmp_path_factory.mktemp("side")
        for folder in ("home", "scenarios", "tmp"):
            (root / folder).mkdir()
        (root / "scenarios" / "calm.py").write_text(CALM)
        (root / "scenarios" / "hang.py").write_text(CALM.replace('Say("alice"),', 'Pause("alice"), Rest("alice", 600)'))
        made.append(Place(root))
    return made


@pytest.mark.timeout(120)
def test_two_labs_on_one_engine_do_not_disturb_each_other(places: list[Place], docker_engine: Engine) -> None:
    with ExitStack() as both:
        for run in [both.enter_context(place.lab("run", "calm", "--backend", "docker")) for place in places]:
            said = run.communicate(timeout=90)
            assert run.returncode == 0, said
    for place in places:
        assert things(docker_engine, place.project) == []


@pytest.mark.timeout(150)
def test_a_lab_is_played_on_by_one_command_at_a_time(places: list[Place], docker_engine: Engine) -> None:
    place = places[0]
    with place.lab("up") as up:
        up.communicate(timeout=60)
    try:
        with place.lab("run", "hang", "--backend", "docker") as first:
            until(lambda: "paused" in states(docker_engine, place.project).values(), "the first one plays")
            with place.lab("run", "calm", "--backend", "docker") as second:
                _, said = second.communicate(timeout=60)
            assert second.returncode == 2
            assert said.startswith(f"lab: aborted: this lab is busy: process {first.pid} plays on it"), said
            first.terminate()
            first.communicate(timeout=60)
        assert "paused" not in states(docker_engine, place.project).values()
    finally:
        with place.lab("down") as down:
            down.communicate(timeout=60)
    assert things(docker_engine, place.project) == []


@pytest.mark.timeout(120)
def test_a_taken_port_is_one_line_and_leaves_nothing(
    places: list[Place], docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("LAB_SERVER_PORT", str(port))
        with places[0].lab("up") as up:
            _, said = up.communicate(timeout=90)
    assert up.returncode == 2
    assert said.splitlines()[0].startswith(f"lab: aborted: port {port} is taken"), said
    assert things(docker_engine, places[0].project) == []


def test_no_container_has_more_than_it_needs(docker_engine: Engine) -> None:
    done = subprocess.run(
        ["docker", "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "--format", "json"],
        env=os.environ | {"DOCKER_HOST": docker_engine.host},
        capture_output=True,
        text=True,
        check=True,
    )
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"server", "toxiproxy", "alice", "bob", "carol"}
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "docker.sock" not in json.dumps(service), name
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", [])), name
        assert not service.get("privileged"), name
    assert services["toxiproxy"]["user"] == "10001:10001"
    assert "\nUSER hangup\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def runner_elsewhere() -> str:
    """A process of another PID namespace, which has the same id there as this one has here."""
    return f"{me().partition(':')[0]}:pid:[4000000000]/{me().rpartition('/')[2]}"


@pytest.mark.parametrize(
    ("runner", "until", "expected"),
    [
        (me(), 60, Fate.LIVES),
        (f"{me().rpartition('/')[0]}/{os.getpid()}-1", 60, Fate.DEAD),
        (f"{me().rpartition('/')[0]}/nobody", 60, Fate.DEAD),
        (runner_elsewhere(), 60, Fate.ELSEWHERE),
        (f"{os.getpid()}-1", 60, Fate.ELSEWHERE),
        (runner_elsewhere(), -60, Fate.ELSEWHERE),
    ],
    ids=["this", "gone", "garbled", "elsewhere", "of-an-older-lab", "elsewhere-and-expired"],
)
@pytest.mark.timeout(60)
def test_a_lab_is_swept_if_its_runner_is_dead_here_or_its_lease_has_run_out_and_left_alone_otherwise(
    runner: str, until: int, expected: Fate, docker_engine: Engine
) -> None:
    assert fate(runner) is expected
    project = f"hangup-test-lease-{os.getpid()}"
    labels = {PROJECT: project, SESSION: project, RUNNER: runner, UNTIL: str(int(time.time()) + until)}
    with client_of(docker_engine) as client:
        network = client.networks.create(f"{project}_back", labels=labels)
        try:
            swept = sweep_containers(client)
            gone = things(docker_engine, project) == []
        finally:
            with suppress(NotFound):
                network.remove()
    assert gone is (expected is Fate.DEAD or until < 0)
    assert (project in swept.left) is (expected is Fate.ELSEWHERE and until > 0)
