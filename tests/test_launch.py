"""The fork server is started before anything else, where it is certain to be needed, and is never left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from lab.backends import folders
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


STARTS = """
import os, sys, time
from lab.backends.launch import ForkServer
server = ForkServer()
print(server.folder, server._process.pid, flush=True)
time.sleep(float(sys.argv[1]))
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_fork_server_whose_lab_is_killed_while_it_imports_goes_at_once(tmp_path: Path) -> None:
    env = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parent.parent)}
    for seconds in ("0.15", "0.3"):
        ended = subprocess.run([sys.executable, "-c", STARTS, seconds], env=env, capture_output=True, check=False)
        folder, pid = ended.stdout.decode().split()
        until(lambda pid=pid: not psutil.pid_exists(int(pid)), "it is gone")  # type: ignore[misc]  # mypy cannot infer a default
        until(lambda folder=folder: not Path(folder).exists(), "its folder is gone")  # type: ignore[misc]  # nor here


def test_the_folder_of_a_lab_that_is_gone_with_its_fork_server_is_swept_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = Path(folders.new_folder())
    space = mine.name.split("-")[1]
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = tmp_path / f"hangup-{space}-{int(gone.stdout)}-abcdefgh"
    elsewhere = tmp_path / f"hangup-{int(space) + 1}-{int(gone.stdout)}-abcdefgh"
    other = tmp_path / "hangup-notes"
    for folder in (dead, elsewhere, other):
        (folder / "run").mkdir(parents=True)
    assert folders.sweep_folders() == 1
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, elsewhere.name, other.name}
