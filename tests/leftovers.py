"""Looking for what a run left behind: processes, containers, networks, volumes, files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

import docker
from lab.backends.engine import Engine
from lab.backends.removal import PROJECT

PATIENCE = 20.0


MARK = "HANGUP_TEST_MARK"
"""A variable that every process of a test inherits; of the lab's own settings actors get none."""


def until(fact: Callable[[], bool], what: str) -> None:
    """Wait for a fact of another process, which can only be looked at, not waited for."""
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)  # another process tells us nothing: without a pause we would only take its CPU


def processes_of(mark: str) -> list[psutil.Process]:
    """Every process with that mark in its environment, under MARK for instance, however deep."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and mark in process.environ().values():
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def statuses(mark: str) -> set[str]:
    """The states of those processes."""
    found: set[str] = set()
    for process in processes_of(mark):
        try:
            found.add(process.status())
        except psutil.NoSuchProcess:
            continue
    return found


@contextmanager
def client_of(engine: Engine) -> Iterator[docker.DockerClient]:
    """The Docker SDK, closed afterwards."""
    client = docker.DockerClient(base_url=engine.host, timeout=30)
    try:
        yield client
    finally:
        client.close()


def states(engine: Engine, project: str) -> dict[str, str]:
    """The containers whose project begins so, and their states."""
    with client_of(engine) as client:
        found = client.containers.list(all=True, filters={"label": PROJECT}, ignore_removed=True)
        return {one.name or "": one.status for one in found if one.labels[PROJECT].startswith(project)}


def things(engine: Engine, project: str) -> list[str]:
    """Every container, network and volume of a project whose name begins so."""
    with client_of(engine) as client:
        networks = [one.name for one in client.networks.list() if (one.name or "").startswith(project)]
        volumes = [one.name for one in client.volumes.list() if one.name.startswith(project)]
    return [*states(engine, project), *map(str, networks), *volumes]


def files(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())
