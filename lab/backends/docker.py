"""The lab with Docker: actors are containers, links are Toxiproxy's proxies."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from docker.models.containers import Container

from lab.backends.compose import Composition, default_project
from lab.backends.containers import ContainerActor
from lab.backends.dockerstage import CLIENTS, READY_SECONDS, TOXIPROXY, DockerStage
from lab.backends.engine import Engine
from lab.backends.lock import Lock
from lab.backends.stage import Cast
from lab.backends.sweep import sweep_containers
from lab.backends.toxiproxy import Toxiproxy, ToxiproxyLink
from lab.faults import SERVER
from lab.timeline import Timeline

FIRST_PORT = 21001


class Docker:
    """Sets stages out of containers: those of a lab that is up, else of one that it brings up for itself."""

    name = "docker"
    side_by_side = False

    def __init__(self, engine: Engine, app: str, flavour: str) -> None:
        self.engine, self.app, self.flavour = engine, app, flavour
        self._lock = Lock(default_project())
        self._composition: Composition | None = None
        self._toxiproxy: Toxiproxy | None = None
        self._own = False
        self._links: dict[str, ToxiproxyLink] = {}
        self.actors: dict[str, ContainerActor] = {}
        self._restoring: dict[str, threading.Thread] = {}

    def open(self) -> None:
        """Find the lab or bring one up; then its Toxiproxy and a link for each client."""
        self._composition = self._find() or self._bring_up()
        sweep_containers(self._composition.client, keep=self._composition.project)
        self._toxiproxy = Toxiproxy(*self._composition.port(TOXIPROXY, 8474))
        self._toxiproxy.wait(READY_SECONDS)
        for number, client in enumerate(CLIENTS):
            port = FIRST_PORT + number
            self._links[client] = self._toxiproxy.link(client, f"{SERVER}:8000", port, (TOXIPROXY, port))

    @contextmanager
    def stage(self, cast: Cast, timeline: Timeline) -> Iterator[DockerStage]:
        """The containers of the lab, each well, attached to and idle."""
        self._restored()
        stage = DockerStage(self.composition, self.actors, self._links, timeline, self._later)
        stage.set(cast)
        yield stage

    @property
    def composition(self) -> Composition:
        """The project that open() found or brought up."""
        assert self._composition is not None, "open() comes first"
        return self._composition

    def close(self) -> None:
        """Let go of a lab that is up, and well again; take down one that was brought up for this run."""
        if not self._own:
            self._restored()
        for actor in self.actors.values():
            actor.close()
        if self._toxiproxy is not None:
            self._toxiproxy.close()
        try:
            if self._own:
                self.composition.down()
        finally:
            if self._composition is not None:
                self._composition.close()
            self._lock.release()

    def _later(self, name: str, restore: Callable[[], None]) -> None:
        """In a lab that stays up, at once, beside whatever comes next; in our own, if there is a next stage."""
        self._restoring[name] = threading.Thread(target=restore, name=f"restore {name}", daemon=True)
        if not self._own:
            self._restoring[name].start()

    def _restored(self) -> None:
        """Wait until everybody is back."""
        for thread in self._restoring.values():
            if thread.ident is None:
                thread.start()
        while self._restoring:
            self._restoring.popitem()[1].join(READY_SECONDS)

    def _find(self) -> Composition | None:
        """The lab of this clone, if it is up and serves what is asked for."""
        composition = Composition(self.engine, default_project())
        server = composition.containers().get(SERVER)
        if server is None or not _serves(server, self.app, self.flavour):
            composition.close()
            return None
        self._lock.acquire()
        return composition

    def _bring_up(self) -> Composition:
        project = f"{default_project()}-run-{os.getpid()}"
        self._composition = Composition(self.engine, project, self.app, self.flavour)
        self._own = True
        self._composition.up("run")
        return self._composition


def _serves(server: Container, app: str, flavour: str) -> bool:
    config = server.attrs["Config"]
    return app in (config["Cmd"] or ()) and f"LAB_FLAVOUR={flavour}" in (config["Env"] or ())
