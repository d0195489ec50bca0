"""The fork server is started before anything else, where it is certain to be needed, and is never left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lab.backends.launch import ForkServer, can_fork, is_certain
from lab.backends.processes import Forked
from tests.leftovers import until

pytestmark = pytest.mark.skipif(not can_fork(), reason="nothing is forked here")


@pytest.mark.parametrize(
    ("line", "env", "certain"),
    [
        ("run kill --backend embedded", {}, True),
        ("run --backend=embedded --all", {}, True),
        ("run kill --backend docker --backend embedded", {}, True),
        ("run kill", {"LAB_BACKEND": "embedded"}, True),
        ("run kill --backend docker", {"LAB_BACKEND": "embedded"}, False),
        ("run kill", {"LAB_BACKEND": "docker"}, False),
        ("check app:app --backend embedded", {}, True),
        ("list", {"LAB_BACKEND": "embedded"}, False),
        ("", {"LAB_BACKEND": "embedded"}, False),
    ],
)
def test_it_is_certain_to_be_needed_where_scenarios_are_played_by_processes(
    line: str, env: dict[str, str], certain: bool
) -> None:
    assert is_certain(line.split(), env) is certain


@pytest.mark.parametrize(("path", "certain"), [(os.devnull, True), ("{here}", False)])
def test_where_nobody_says_which_backend_it_is_needed_if_there_is_no_docker_command(
    path: str, certain: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docker").touch(mode=0o755)
    monkeypatch.setenv("PATH", path.format(here=tmp_path))
    assert is_certain(["run", "kill"], {}) is certain


def test_one_that_is_not_taken_ends_and_takes_its_folder_along() -> None:
    before = set(psutil.Process().children(recursive=True))
    server = ForkServer()
    server.end()
    assert not Path(server.folder).exists()
    assert set(psutil.Process().children(recursive=True)) <= before


def test_one_that_is_taken_is_ended_by_whoever_took_it() -> None:
    server = ForkServer()
    processes = Forked(server)
    assert server.taken
    processes.open()
    processes.close()
    assert not Path(server.folder).exists()


def test_a_command_that_is_refused_leaves_no_fork_server(tmp_path: Path) -> None:
    env = os.environ | {"TMPDIR": str(tmp_path), "LAB_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "lab", "run", "no-such-scenario", "--backend", "embedded"]
    assert subprocess.run(command, env=env, stderr=subprocess.DEVNULL, check=False).returncode == 2
    until(lambda: not list(tmp_path.glob("hangup-*")), "its folder is gone")
