"""Finding an engine, and losing it: one clear line, exit code 2, and a sweep that finds the rest."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from docker.errors import APIError, NotFound
from docker.models.networks import Network

from lab.backends import engine, removal
from lab.backends.engine import Engine
from lab.choose import NoEngine, choose
from lab.servers import REFERENCE
from tests.leftovers import client_of, states, things, until
from tests.middleman import Middleman
from tests.place import HANGS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what the test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("LAB_BACKEND", raising=False)
    return folder


def script(path: Path, body: str) -> None:
    """An executable."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_without_a_docker_command_auto_means_embedded(bin_folder: Path) -> None:
    assert engine.find() == "there is no docker command"
    choice = choose(None, REFERENCE, "rfc6455")
    choice.backend.close()
    assert (choice.backend.name, choice.key, choice.why) == ("embedded", "auto-embedded", "there is no docker command")
    assert not list(bin_folder.iterdir())


def test_docker_that_was_asked_for_and_is_not_there_is_a_refusal(bin_folder: Path) -> None:
    script(bin_folder / "docker", "exit 1")
    with pytest.raises(NoEngine, match="names no engine"):
        choose("docker", REFERENCE, "rfc6455")


def test_an_engine_that_does_not_answer_is_none(bin_folder: Path, tmp_path: Path) -> None:
    script(bin_folder / "docker", f"echo unix://{tmp_path}/nobody.sock")
    assert engine.find() == f"no engine answers at unix://{tmp_path}/nobody.sock"


def test_an_engine_that_accepts_and_never_answers_is_none_after_two_seconds(bin_folder: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(silent))
        listening.listen()
        script(bin_folder / "docker", f"echo unix://{silent}")
        assert engine.find() == f"no engine answers at unix://{silent}"


def test_an_engine_without_compose_is_none(
    bin_folder: Path, docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(bin_folder / "docker", 'case "$1" in compose) exit 1;; esac')
    monkeypatch.setenv("DOCKER_HOST", docker_engine.host)
    assert engine.find() == "the docker command has no Compose v2 (docker compose version)"


@pytest.fixture
def middleman(tmp_path: Path, docker_engine: Engine) -> Iterator[Middleman]:
    standing = Middleman(tmp_path / "engine.sock", docker_engine.host.removeprefix("unix://"))
    yield standing
    standing.drop() if standing.listening.fileno() >= 0 else None


@pytest.mark.timeout(150)
def test_an_engine_that_goes_half_way_is_one_line_and_the_next_sweep_finds_the_rest(
    tmp_path: Path, docker_engine: Engine, middleman: Middleman
) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "hang.py").write_text(HANGS.replace("600", "2"))
    project = f"hangup-gone-{os.getpid()}"
    env = os.environ | {"LAB_PROJECT": project, "LAB_SCENARIOS": str(tmp_path / "scenarios"), "LAB_LANG": "en"}
    through = {"DOCKER_HOST": f"unix://{tmp_path}/engine.sock", "LAB_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "lab"]
    run_hang = [*command, "run", "hang", "--backend", "docker"]
    with subprocess.Popen(
        run_hang, env=env | through, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        until(lambda: "paused" in states(docker_engine, project).values(), "alice is frozen")
        middleman.drop()
        _, said = run.communicate(timeout=60)
    assert run.returncode == 2, said
    assert said.startswith("lab: aborted: the engine is gone"), said
    assert "Traceback" not in said
    subprocess.run([*command, "sweep"], env=env, check=True, timeout=60, stdout=subprocess.DEVNULL)
    assert things(docker_engine, project) == []


def test_setup_says_in_one_line_that_python_is_too_old(tmp_path: Path) -> None:
    for name in ("dirname", "pwd"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    script(tmp_path / "python3", "exit 1")
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "requirements" / "setup.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("setup: no Python 3.11 or newer found")
    assert len(done.stderr.splitlines()) == 1


def test_setup_says_in_one_line_that_the_venv_module_is_missing(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to(str(shutil.which("dirname")))
    script(tmp_path / "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "requirements" / "setup.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no venv module" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.timeout(60)
def test_a_network_that_a_container_is_about_to_leave_is_removed_as_soon_as_it_has_left(
    docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, refused, remove = "hangup-test-leaving", threading.Event(), Network.remove

    def watched(network: Network) -> None:
        try:
            remove(network)
        except APIError:
            refused.set()
            raise

    monkeypatch.setattr(Network, "remove", watched)
    with client_of(docker_engine) as client, ThreadPoolExecutor(1) as pool:
        network = client.networks.create(f"{project}_back", labels={removal.PROJECT: project})
        guest = client.containers.run("python:3.13-slim", "sleep 60", network=network.name, detach=True)
        try:
            removing = pool.submit(removal.remove, client, project)
            assert refused.wait(30)
            guest.remove(force=True)
            assert removing.result(30) == removal.Removed(networks=1)
        finally:
            with suppress(NotFound):
                guest.remove(force=True)
            with suppress(NotFound):
                remove(network)
    assert things(docker_engine, project) == []
