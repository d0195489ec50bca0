"""Grading a server from outside: any command that listens, in any language."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker.models.containers import Container

from lab.backends.actors import StageError
from lab.backends.engine import Engine
from lab.backends.processes import Processes
from lab.backends.sweep import sweep_containers
from lab.check import Subject
from lab.check.cases import cases
from lab.check.grading import INSIDE_ONLY, Grader
from lab.check.subject import Allowed
from lab.reports import Played, Report
from lab.verdict import Outcome
from tests.conftest import require
from tests.leftovers import MARK, client_of, processes_of, states, things, until

NODE = Path(__file__).parent / "node"
URL = "ws://127.0.0.1:{port}/ws"

SERVER = """
import asyncio, os, signal, sys
from websockets.asyncio.server import serve

bug, users = sys.argv[1], set()

async def handler(socket):
    users.add(socket)
    print(f"joined by {os.environ.get('GREETING')}; active connections: {len(users)}")
    try:
        async for message in socket:
            if bug == "dies" and message == "{not json":
                os._exit(3)
            await socket.send(message)
            if bug == "keeps sockets" and "alice" in socket.request.path:
                socket.transport.pause_reading()  # and never on again: not even its end is read
    finally:
        users.discard(socket)
        print(f"left; active connections: {len(users)}", file=sys.stderr)

async def main():
    stop = asyncio.Event()
    order = (lambda: None) if bug == "hangs" else stop.set
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, order)
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])
    often = None if bug == "keeps sockets" else 1.2 if "1.2" in bug else 0.5
    async with serve(handler, host, port, ping_interval=often, ping_timeout=often, close_timeout=0.5):
        await stop.wait()

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever is started here can be told from everything else; and no test leaves any of it."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(MARK, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server(tmp_path: Path) -> str:
    """The command of the Python server, but for its bug."""
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    return f"'{sys.executable}' '{path}'"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The servers of tests/node with what they need, in a folder of their own."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        require("node", "there is no node with npm here")
    folder = tmp_path_factory.mktemp("node") / "servers"
    shutil.copytree(NODE, folder)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    done = subprocess.run(["npm", "ci", *quiet], cwd=folder, capture_output=True, text=True, timeout=50, check=False)
    if done.returncode != 0:
        require("node", f"npm ci failed: {done.stderr.strip()}")
    return folder


@pytest.fixture
def graded(processes: Processes, home: Path) -> Iterator[type[Grading]]:
    """Grades; afterwards no process of the server's is there any more."""
    Grading.processes = processes
    yield Grading
    assert processes_of(str(home)) == []


class Grading:
    """A report, asked in short."""

    processes: Processes

    def __init__(self, subject: Subject, *names: str) -> None:
        with Grader(subject, self.processes) as grader:
            self.report: Report = grader.grade(names)

    @property
    def played(self) -> dict[str, Played]:
        """Every case by its name."""
        return {played.name: played for played in self.report.played}

    def violated(self) -> set[tuple[str, str]]:
        """What was violated, case by case, as claim and kind."""
        return {
            (played.name, f"{found.claim} {found.kind or ''}".strip())
            for played in self.report.played
            for found in played.verdict.findings
            if found.outcome is Outcome.VIOLATED
        }

    def held(self, name: str) -> set[str]:
        """What held in a case."""
        found = self.played[name].verdict.findings
        return {f"{one.claim} {one.kind or ''}".strip() for one in found if one.outcome is Outcome.HELD}

    def logged(self, name: str) -> list[tuple[str, str]]:
        """What the server printed in a case, and where."""
        timeline = self.played[name].timeline
        return [(seen.text("logger"), seen.text("text")) for seen in timeline.select("logged", "", "server")]


def test_a_correct_server_is_held_in_every_case_that_can_be_seen_from_outside(
    graded: type[Grading], server: str
) -> None:
    grading = graded(Subject(command=f"{server} none", url=URL))
    assert grading.report.outcome is Outcome.HELD, grading.violated()
    assert set(grading.played) == set(cases()) - set(INSIDE_ONLY)
    assert grading.report.backend == "command"
    seen = {"no-orphan socket", "counter-is-true", "still-served"}
    assert all(seen <= grading.held(name) for name in grading.played if name not in ("stop", "twins"))
    assert {"stops-in-time", "closed-with"} <= grading.held("stop")


def test_on_a_port_of_its_own_it_is_graded_case_by_case(graded: type[Grading], server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    subject = Subject(command=f"{server} none", url=f"ws://127.0.0.1:{port}/ws", env={"GREETING": "{folder}/x"})
    grading = graded(subject, "close", "pause", "stop")
    assert grading.report.outcome is Outcome.HELD, grading.violated()
    joined = [text for logger, text in grading.logged("close") if logger == "stdout"]
    assert any("/x; active connections: 5" in text for text in joined)
    assert "{folder}" not in joined[0]
    assert ("stderr", "left; active connections: 2") in grading.logged("close")


def test_sockets_that_it_keeps_are_found(graded: type[Grading], server: str) -> None:
    grading = graded(Subject(command=f"{server} 'keeps sockets'", url=URL, pings=0.5), "kill", "pause")
    orphans = {("kill", "no-orphan socket"), ("pause", "no-orphan socket")}
    assert grading.violated() == {*orphans, ("kill", "counter-is-true")}
    found = grading.played["kill"].verdict.findings
    assert [dict(one.evidence.args)["count"] for one in found if one.kind == "socket"] == [3]


def test_one_that_dies_of_what_a_client_says_has_let_down_the_others(graded: type[Grading], server: str) -> None:
    grading = graded(Subject(command=f"{server} dies", url=URL), "kill", "garbage")
    assert grading.violated() == {("garbage", "still-served")}
    (said,) = (one.evidence for one in grading.played["garbage"].verdict.findings if one.outcome is Outcome.VIOLATED)
    assert (said.key, dict(said.args)["code"]) == ("crashed", 3)


def test_one_that_pings_seldom_or_never_is_in_doubt_unless_somebody_says_how_often(
    graded: type[Grading], server: str
) -> None:
    command = f"{server} 'keeps sockets'"
    grading = graded(Subject(command=command, url=URL), "pause")
    assert (grading.report.outcome, grading.violated()) == (Outcome.UNKNOWN, set())
    grading = graded(Subject(command=f"{server} 'pings every 1.2 s'", url=URL, pings=1.2), "pause")
    assert grading.report.outcome is Outcome.HELD, grading.violated()


def test_one_that_does_not_stop_is_found_and_stopped(graded: type[Grading], server: str) -> None:
    grading = graded(Subject(command=f"{server} hangs", url=URL), "stop")
    assert ("stop", "stops-in-time") in grading.violated()


def test_what_a_shell_has_started_is_watched_paused_and_ended_too(graded: type[Grading], server: str) -> None:
    command = f'sh -c "(setsid sleep 300 &); {server} none; true"'
    grading = graded(Subject(command=command, url=URL), "kill", "talk", "stop")
    # A shell does not pass SIGTERM on. What it has started runs on, and is not stopped because the shell is.
    assert grading.violated() == {("stop", "stops-in-time"), ("stop", "closed-with")}
    assert "no-orphan socket" in grading.held("kill")


@pytest.mark.timeout(120)
def test_a_correct_server_on_node_is_held(graded: type[Grading], node: Path) -> None:
    grading = graded(Subject(command=f"node '{node / 'server.js'}' {{port}}", url=URL))
    assert grading.report.outcome is Outcome.HELD, grading.violated()
    assert "no-orphan socket" in grading.held("pause")


@pytest.mark.timeout(120)
def test_the_bugs_of_a_server_on_node_are_found(graded: type[Grading], node: Path) -> None:
    names = ("close", "kill", "pause", "stop")
    command = f"node '{node / 'broken.js'}' {{port}}"
    grading = graded(Subject(command=command, url=URL, pings=0.5), *names)
    expected = {("kill", "counter-is-true"), ("pause", "no-orphan socket"), ("stop", "closed-with")}
    assert grading.violated() == expected
    assert ("stdout", "connected; active connections: 1") in grading.logged("kill")


@pytest.mark.parametrize(
    ("command", "url", "why", "log"),
    [
        ("no-such-command x", URL, "ended before it listened .exit code 127.", "no-such-command: No such file"),
        ("sh -c 'echo no database >&2; exit 3'", URL, "ended before it listened .exit code 3.", "no database"),
        ("sh -c 'sleep 300 & exit 3'", URL, "ended before it listened .exit code 3.", ""),
        ("'x", URL, "No closing quotation", ""),
        ("x", "", "is not ws://HOST:PORT/PATH", ""),
        ("x", "wss://127.0.0.1:1/", "is not ws://HOST:PORT/PATH", ""),
        ("x", "ws://127.0.0.1:99999/", "is not ws://HOST:PORT/PATH", ""),
    ],
)
def test_what_cannot_be_started_is_said(graded: type[Grading], command: str, url: str, why: str, log: str) -> None:
    with pytest.raises(StageError, match=why) as refused:
        graded(Subject(command=command, url=url), "kill")
    assert log in "\n".join(refused.value.log)


def test_one_that_does_not_listen_is_said(graded: type[Grading], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.check.commanded.READY_SECONDS", 0.3)
    with pytest.raises(StageError, match=r"does not listen on 127\.0\.0\.1:"):
        graded(Subject(command="sleep 300", url=URL), "kill")


def test_a_port_that_is_taken_is_said(graded: type[Grading]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StageError, match=f":{port} already"):
            graded(Subject(command="sleep 300", url=f"ws://127.0.0.1:{port}/"), "kill")


def test_what_only_the_witness_could_attest_is_not_played(graded: type[Grading], server: str) -> None:
    with pytest.raises(StageError, match="nobody can judge reset, stall"):
        graded(Subject(command=f"{server} none", url=URL), *INSIDE_ONLY)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_however_the_lab_ends_the_command_and_all_it_started_are_gone(
    ending: signal.Signals, server: str, home: Path
) -> None:
    command = f'sh -c "(setsid sleep 300 &); {server} hangs; true"'
    code = f"from lab.check import *\ngrade(Subject(command={command!r}, url={URL!r}), ['stop'])"
    quiet = subprocess.DEVNULL
    with subprocess.Popen([sys.executable, "-c", code], env=os.environ, stdout=quiet, stderr=quiet) as lab:
        until(lambda: bool(_serving(home)), "the server runs")
        lab.send_signal(ending)
        lab.wait(20)
    until(lambda: processes_of(str(home)) == [], "all are gone")


@pytest.fixture(scope="session")
def image(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Python server in an image, on top of the lab's own, which has all that it needs."""
    build = ["docker", "compose", "--project-directory", str(NODE.parent.parent), "build", "--quiet", "server"]
    subprocess.run(build, env=os.environ | {"DOCKER_HOST": docker_engine.host}, check=True, capture_output=True)
    folder = tmp_path_factory.mktemp("image")
    (folder / "server.py").write_text(SERVER)
    entry = 'ENV HOST=0.0.0.0\nENTRYPOINT ["python", "/server.py"]\nCMD ["none"]\n'
    (folder / "Dockerfile").write_text(f"FROM hangup-lab\nCOPY --chmod=444 server.py /server.py\n{entry}")
    tag = f"hangup-test-{os.getpid()}"
    subprocess.run(["docker", "build", "--quiet", "-t", tag, str(folder)], check=True, capture_output=True)
    yield tag
    with client_of(docker_engine) as client:
        client.images.remove(tag, force=True)


@pytest.mark.timeout(180)
def test_a_server_in_a_container_is_graded_too(
    graded: type[Grading], image: str, docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_PROJECT", image)
    grading = graded(Subject(image=image, port=9000, path="/ws"), "close", "kill", "pause", "talk", "stop")
    assert grading.report.outcome is Outcome.HELD, grading.violated()
    assert grading.report.backend == "docker"
    assert {"counter-is-true", "still-served"} <= grading.held("kill")
    assert {"stops-in-time", "closed-with", "attested"} <= grading.held("stop")
    assert ("stderr", "left; active connections: 2") in grading.logged("close")
    assert things(docker_engine, image) == []


@pytest.mark.timeout(120)
def test_an_image_that_cannot_be_run_is_said(
    graded: type[Grading], image: str, docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_PROJECT", image)
    with pytest.raises(StageError, match="no image 'hangup-nonesuch' to run"):
        graded(Subject(image="hangup-nonesuch"), "kill")
    with pytest.raises(StageError, match=r"ended before it listened .exit code 1.") as refused:
        graded(Subject(image=image, env={"HOST": "no such host"}), "kill")
    assert "gaierror" in "\n".join(refused.value.log)
    assert things(docker_engine, image) == []


@pytest.mark.timeout(120)
def test_an_image_gets_no_capabilities_and_no_more_memory_and_processes_than_it_is_allowed(
    graded: type[Grading], image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_PROJECT", image)
    seen: list[dict[str, object]] = []
    start = Container.start

    def watched(container: Container) -> None:
        container.reload()
        seen.append(container.attrs["HostConfig"])
        start(container)

    monkeypatch.setattr(Container, "start", watched)
    graded(Subject(image=image, port=9000, path="/ws", allowed=Allowed(("NET_BIND_SERVICE",), "300m", 99)), "kill")
    assert seen
    for one in seen:
        assert (one["CapDrop"], one["CapAdd"]) == (["ALL"], ["NET_BIND_SERVICE"])
        assert one["SecurityOpt"] == ["no-new-privileges:true"]
        assert (one["Memory"], one["MemorySwap"], one["PidsLimit"]) == (300 * 2**20, 300 * 2**20, 99)
        assert not one["Privileged"]


@pytest.mark.timeout(60)
def test_what_a_container_may_have_is_said_where_it_ends(
    graded: type[Grading], image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_PROJECT", image)
    said = r"the container \(--cap none, --memory 6m, --processes 512\) ended before it listened"
    with pytest.raises(StageError, match=said):
        graded(Subject(image=image, port=9000, path="/ws", allowed=Allowed(memory="6m")), "kill")


@pytest.mark.timeout(120)
def test_a_container_of_a_lab_that_was_killed_is_swept(
    image: str, docker_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_PROJECT", image)
    code = f"from lab.check import *\ngrade(Subject(image={image!r}), ['stop'])"
    with subprocess.Popen([sys.executable, "-c", code], env=os.environ) as lab:
        until(lambda: "running" in states(docker_engine, image).values(), "the container runs")
        lab.kill()
    assert states(docker_engine, image)
    with client_of(docker_engine) as client:
        sweep_containers(client)
    assert things(docker_engine, image) == []


def _serving(home: Path) -> list[int]:
    return [one.pid for one in processes_of(str(home)) if "hangs" in one.cmdline()]
