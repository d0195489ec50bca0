"""The containers of one lab: brought up by Compose, found by their labels, taken down with all that belongs to them."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import subprocess
import time
from collections.abc import Iterator
from http import HTTPStatus

from docker.models.containers import Container

import docker
from lab.backends.actors import StageError
from lab.backends.containers import call
from lab.backends.engine import Engine
from lab.backends.image import context, is_current
from lab.backends.lease import me
from lab.backends.removal import PROJECT, Removed, remove
from lab.clock import now
from lab.paths import ROOT

SERVICE = "com.docker.compose.service"
SESSION, RUNNER, UNTIL = "hangup.session", "hangup.runner", "hangup.until"
LEASE_SECONDS = {"run": 15 * 60, "up": 12 * 3600}
"""How long a lab may live before anybody may sweep it: one that a run brought up for itself, and one of `lab up`."""
CALL_SECONDS = 30
READY_SECONDS, POLL_SECONDS = 20.0, 0.05

FINISH_SECONDS = 5.0
"""How long Compose may go on when the lab has been told to stop: with all images there it takes two seconds."""


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
        found = call(
            lambda: self.client.containers.list(
                all=True, ignore_removed=True, filters={"label": f"{PROJECT}={self.project}"}
            )
        )
        return {container.labels[SERVICE]: container for container in found}

    def is_up(self) -> bool:
        """Whether there is a lab of that name, running or damaged."""
        return bool(self.containers())

    def up(self, kind: str) -> None:
        """Build the image if need be, and start everything.

        Args:
            kind: `run` for a lab of one command, which dies with it; `up` for one that stays. Nobody asks the first
                for its health, and it takes an image that is current as it is.

        Raises:
            StageError: Compose failed; its last lines are the log.
        """
        env = os.environ | {
            "LAB_PROJECT": self.project,
            "LAB_APP": self.app,
            "LAB_FLAVOUR": self.flavour,
            "LAB_UNTIL": str(int(time.time()) + LEASE_SECONDS[kind]),
            "LAB_RUNNER": me() if kind == "run" else "",
            "LAB_UNCHECKED": "true" if kind == "run" else "false",
            "LAB_CONTEXT": context(),
            "DOCKER_HOST": self.engine.host,
        }
        command = ["docker", "compose", "--project-directory", str(ROOT), "-p", self.project]
        build = "--no-build" if kind == "run" and is_current(self.client) else "--build"
        # Its own process group: Ctrl-C is for the lab, which lets Compose come to an end and then takes all down.
        compose = subprocess.Popen(
            [*command, "up", "-d", build, "--quiet-pull"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=os.name != "nt",
        )
        try:
            _, said = compose.communicate()
        except BaseException:
            _let_end(compose)
            raise
        if compose.returncode != 0:
            raise _failure(said)

    def await_ready(self) -> tuple[str, str]:
        """Wait until the server answers; the addresses of the server and of Toxiproxy on this machine."""
        (host, port), toxiproxy = self.port("server", 8000), self.port("toxiproxy", 8474)
        deadline = now() + READY_SECONDS
        while not _healthy(host, port):
            server = call(lambda: self.containers()["server"])
            if server.status == "exited" or now() > deadline:
                log = server.logs(tail=12, stdout=False).decode(errors="replace").splitlines()
                raise StageError("the server does not answer", tuple(log))
            time.sleep(POLL_SECONDS)
        return f"http://{host}:{port}", "{}:{}".format(*toxiproxy)

    def status(self) -> Iterator[str]:
        """A line for each container, and one for each link that is not well."""
        containers = self.containers()
        for service, container in sorted(containers.items()):
            state = container.attrs["State"]
            health = state.get("Health", {}).get("Status", "")
            networks = " ".join(
                sorted(name.rpartition("_")[2] for name in container.attrs["NetworkSettings"]["Networks"])
            )
            ports = " ".join(
                f"{bound[0]['HostIp']}:{bound[0]['HostPort']}" for bound in container.ports.values() if bound
            )
            yield f"{service:<10} {state['Status']:<9} {health:<9} {networks or '-':<11} {ports}".rstrip()

    def down(self) -> Removed:
        """Remove everything of this project, and look again until there is nothing: a creation may be under way."""
        removed = Removed()
        while (more := remove(self.client, self.project)).total:
            removed = removed + more
        return removed

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


def _let_end(compose: subprocess.Popen[str]) -> None:
    """Let it finish, if that is soon: what the engine is making for one that is ended appears after it has gone."""
    try:
        compose.communicate(timeout=FINISH_SECONDS)
    except subprocess.TimeoutExpired:  # it builds an image, or pulls one
        compose.terminate()
        compose.communicate()


def _healthy(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _failure(said: str) -> StageError:
    """What Compose says in the end, in one line; a taken port is the reason that people meet most."""
    taken = re.search(r"(?:127\.0\.0\.1|0\.0\.0\.0):(\d+).*(?:already|in use)", said)
    if taken:
        return StageError(f"port {taken[1]} is taken: free it, or set LAB_SERVER_PORT or LAB_TOXIPROXY_PORT")
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it says nothing"]
    return StageError(f"docker compose could not bring the lab up: {lines[-1]}", tuple(lines[-12:]))
