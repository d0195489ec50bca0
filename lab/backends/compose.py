"""The containers of one lab: brought up by Compose, found by their labels, taken down with all that belongs to them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import docker
import psutil
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from lab.backends.actors import StageError
from lab.backends.containers import call
from lab.backends.engine import Engine
from lab.paths import ROOT

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
SESSION, RUNNER, UNTIL = "hangup.session", "hangup.runner", "hangup.until"
LEASE_SECONDS = {"run": 15 * 60, "up": 12 * 3600}
"""How long a lab may live before anybody may sweep it: one that a run brought up for itself, and one of `lab up`."""
CALL_SECONDS = 30
CONFLICT = 409

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Removed:
    """How many of each were removed."""

    containers: int = 0
    networks: int = 0
    volumes: int = 0

    @property
    def total(self) -> int:
        """All together."""
        return self.containers + self.networks + self.volumes


def default_project() -> str:
    """LAB_PROJECT, else a name of this clone's own, so that two clones do not meet."""
    own = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    return os.environ.get("LAB_PROJECT") or f"hangup-{own}"


class Composition:
    """One project on an engine.

    Args:
        project: its name.
        app: the server's application.
        flavour: its WebSocket implementation.
    """

    def __init__(self, engine: Engine, project: str, app: str = "", flavour: str = "") -> None:
        self.engine, self.project = engine, project
        self.app, self.flavour = app, flavour
        self.client = docker.DockerClient(base_url=engine.host, timeout=CALL_SECONDS)

    def containers(self) -> dict[str, Container]:
        """Its containers by service, whatever their state."""
        found = call(lambda: self.client.containers.list(all=True, filters={"label": f"{PROJECT}={self.project}"}))
        return {container.labels[SERVICE]: container for container in found}

    def is_up(self) -> bool:
        """Whether there is a lab of that name, running or damaged."""
        return bool(self.containers())

    def up(self, kind: str) -> None:
        """Build the image if need be, and start everything.

        Args:
            kind: `run` for a lab of one command, which dies with it; `up` for one that stays.

        Raises:
            StageError: Compose failed; its last lines are the log.
        """
        env = os.environ | {
            "LAB_PROJECT": self.project,
            "LAB_APP": self.app,
            "LAB_FLAVOUR": self.flavour,
            "LAB_UNTIL": str(int(time.time()) + LEASE_SECONDS[kind]),
            "LAB_RUNNER": me() if kind == "run" else "",
            "DOCKER_HOST": self.engine.host,
        }
        command = ["docker", "compose", "--project-directory", str(ROOT), "-p", self.project]
        # Its own process group: Ctrl-C is for the lab, which then takes down what Compose has started.
        done = subprocess.run(
            [*command, "up", "-d", "--build", "--quiet-pull"],
            env={key: value for key, value in env.items() if value or key == "LAB_RUNNER"},
            capture_output=True,
            text=True,
            check=False,
            start_new_session=os.name != "nt",
        )
        if done.returncode != 0:
            raise StageError("docker compose could not bring the lab up", tuple(done.stderr.splitlines()[-12:]))

    def down(self) -> Removed:
        """Remove everything of this project. What is gone already is no error."""
        return remove(self.client, self.project)

    def port(self, service: str, port: int) -> tuple[str, int]:
        """Where a published port of a service is on this machine."""
        container = self.containers().get(service)
        bound = container.ports.get(f"{port}/tcp") if container else None
        if not bound:
            raise StageError(f"{service} of lab {self.project} does not run; make lab-down, then make lab-up")
        return bound[0]["HostIp"], int(bound[0]["HostPort"])

    def close(self) -> None:
        """Let go of the engine."""
        self.client.close()


def me() -> str:
    """This process, in a way that a later process with the same id is not: pid and start time."""
    process = psutil.Process()
    return f"{process.pid}-{int(process.create_time())}"


def lives(runner: str) -> bool:
    """Whether the process that me() named still lives."""
    pid, _, started = runner.partition("-")
    try:
        return int(psutil.Process(int(pid)).create_time()) == int(started)
    except (psutil.Error, ValueError):
        return False


def remove(client: docker.DockerClient, project: str) -> Removed:
    """Remove the containers, networks and volumes of a project, paused and half-made ones too."""
    mine = {"label": f"{PROJECT}={project}"}
    containers = call(lambda: client.containers.list(all=True, filters=mine))
    gone = _remove_all(containers, lambda one: one.remove(force=True, v=True))
    networks = _remove_all(call(lambda: client.networks.list(filters=mine)), lambda one: one.remove())
    volumes = _remove_all(call(lambda: client.volumes.list(filters=mine)), lambda one: one.remove(force=True))
    return Removed(gone, networks, volumes)


def _remove_all(things: Iterable[T], act: Callable[[T], object]) -> int:
    """Remove all at once; the engine takes a tenth of a second for each."""

    def gone(thing: T) -> bool:
        try:
            act(thing)
        except NotFound:
            return False
        except APIError as error:
            if error.status_code == CONFLICT:  # somebody else is removing it
                return False
            raise StageError(f"the engine could not remove {thing}: {error.explanation}") from None
        return True

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(gone, things))
