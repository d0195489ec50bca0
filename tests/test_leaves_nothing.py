"""Our subject is orphans, so we leave none: however a run ends, nothing of it is left."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psutil
import pytest

from lab.backends.embedded import Embedded
from lab.backends.engine import Engine
from lab.backends.processes import open_processes
from lab.runner import Play
from tests.leftovers import files, states, statuses, things, until
from tests.place import HANGS, Place, new_place
from tests.playing import play

ENDINGS = {
    "Ctrl-C": signal.SIGINT,
    "SIGTERM": signal.SIGTERM,
    "closed terminal": signal.SIGHUP,
    "SIGKILL": signal.SIGKILL,
}


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with new_place(tmp_path_factory.mktemp("place")) as here:
        yield here


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_embedded_run_that_is_ended_leaves_nothing(ending: str, place: Place) -> None:
    with place.lab("run", "hang", "--backend", "embedded") as run:
        until(lambda: psutil.STATUS_STOPPED in statuses(str(place.root / "home")), "alice is frozen")
        run.send_signal(ENDINGS[ending])
        _, said = run.communicate(timeout=20)
    assert run.returncode == (-signal.SIGKILL if ending == "SIGKILL" else 2), said
    until(lambda: not place.processes(), "all its processes are gone")
    until(lambda: not files(place.root / "tmp"), "all its files are gone")
    if ending != "SIGKILL":
        assert said.splitlines() == ["lab: interrupted; everything started was taken down"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_docker_run_that_is_ended_leaves_nothing(ending: str, place: Place, docker_engine: Engine) -> None:
    with place.lab("run", "hang", "--backend", "docker") as run:
        until(lambda: "paused" in states(docker_engine, place.project).values(), "alice is frozen")
        run.send_signal(ENDINGS[ending])
        _, said = run.communicate(timeout=40)
    if ending == "SIGKILL":  # nobody could: the next command does
        assert things(docker_engine, place.project)
        with place.lab("sweep") as sweep:
            sweep.communicate(timeout=40)
    assert things(docker_engine, place.project) == [], said
    assert not place.processes()


@pytest.mark.timeout(120)
def test_ctrl_c_while_the_containers_start_leaves_nothing(place: Place, docker_engine: Engine) -> None:
    with place.lab("run", "hang", "--backend", "docker") as run:
        until(lambda: bool(states(docker_engine, place.project)), "the first container exists")
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=40)
    assert run.returncode == 2
    assert things(docker_engine, place.project) == []
    assert not place.processes()


@pytest.mark.timeout(120)
def test_a_second_ctrl_c_does_not_cut_short_the_taking_down(place: Place, docker_engine: Engine) -> None:
    with place.lab("run", "hang", "--backend", "docker") as run:
        until(lambda: "paused" in states(docker_engine, place.project).values(), "alice is frozen")
        run.send_signal(signal.SIGINT)
        run.send_signal(signal.SIGTERM)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=40)
    assert run.returncode == 2
    assert things(docker_engine, place.project) == []


@pytest.mark.timeout(180)
def test_a_lab_that_is_up_is_well_again_after_a_run_on_it_was_killed(place: Place, docker_engine: Engine) -> None:
    (place.root / "scenarios" / "calm.py").write_text(HANGS.replace('Pause("alice"), Rest("alice", 600)', ""))
    for command in (("up",), ("down",)):
        if command == ("down",):
            with place.lab("run", "hang", "--backend", "docker") as run:
                until(lambda: "paused" in states(docker_engine, place.project).values(), "alice is frozen")
                run.kill()
                run.communicate()
            with place.lab("run", "calm", "--backend", "docker") as run:
                said = run.communicate(timeout=60)
            assert run.returncode == 0, said
        with place.lab(*command) as run:
            said = run.communicate(timeout=90)
        assert run.returncode == 0, said
    assert things(docker_engine, place.project) == []


def test_an_exception_in_the_middle_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(psutil.Process().children(recursive=True))
    processes = open_processes()
    folder = processes.folder

    def fail(_play: Play) -> None:
        raise RuntimeError("in the middle of it")

    monkeypatch.setattr(Play, "settle", fail)
    backend = Embedded(processes=processes)
    backend.open()
    with pytest.raises(RuntimeError, match="in the middle of it"):
        play("pause", backend)
    backend.close()
    assert not folder.exists()
    assert set(psutil.Process().children(recursive=True)) <= before


def test_a_fork_server_that_others_killed_leaves_no_folder(place: Place) -> None:
    with place.lab("run", "hang", "--backend", "embedded") as run:
        until(lambda: psutil.STATUS_STOPPED in statuses(str(place.root / "home")), "alice is frozen")
        (server,) = (one for one in psutil.Process(run.pid).children() if "lab.backends.forkserver" in one.cmdline())
        server.kill()
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=20)
    assert run.returncode == 2, said
    until(lambda: not place.processes(), "all its processes are gone")
    assert files(place.root / "tmp") == []
