"""A server in any language, in a container of the participant's image, looked at from outside."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from lab.backends import compose, engine, lease, removal
from lab.backends.actors import Actor, StageError
from lab.backends.compose import Composition
from lab.backends.containers import STDERR, STDOUT, Attached, call
from lab.backends.embedded import Embedded, ProcessStage
from lab.backends.link import Links
from lab.backends.processes import Processes
from lab.backends.stage import Injected
from lab.backends.sweep import sweep_containers
from lab.check.commanded import Image, await_listening
from lab.check.guarded import Deaf, Lines
from lab.clock import Bracket, now
from lab.faults import SERVER, Fault, Interrupt, Kill, Pause, Stop
from lab.timeline import Observation, Timeline

HOST = "127.0.0.1"
READY_SECONDS = 20.0
POLL_SECONDS = 0.02
ENGINE_SECONDS = 0.5
"""How long the engine may take to say that a process is gone whose streams have ended."""


class Contained(Embedded):
    """Sets stages whose server is a container; clients and links are as ever."""

    name = "docker"

    def __init__(self, image: Image, processes: Processes) -> None:
        super().__init__(processes=processes)
        self.image = image
        self.project = f"{compose.default_project()}-check-{os.getpid()}"
        self._engine: engine.Engine | None = None

    def open(self) -> None:
        """Find an engine that has the image; remove what killed runs have left on it."""
        found = engine.find()
        if not isinstance(found, engine.Engine):
            raise StageError(f"--docker needs an engine, and {found}")
        self._engine = found
        with closing(self.composition()) as ours:
            sweep_containers(ours.client, keep=self.project)
            try:
                call(lambda: ours.client.images.get(self.image.name))
            except StageError as error:
                raise StageError(f"no image {self.image.name!r} to run; build or pull it first ({error})") from None
            # As Compose would: a network of its own, where nothing else of this machine can be reached by name.
            call(lambda: ours.client.networks.create(network(ours), labels=labels(ours)))
        super().open()

    def composition(self) -> Composition:
        """A connection to the engine. Not a lab's: only the containers of this check."""
        assert self._engine is not None, "open() comes first"
        return Composition(self._engine, self.project)

    def clear(self) -> None:
        """Remove every container, and the network."""
        if self._engine is not None:
            with closing(self.composition()) as ours:
                ours.down()

    def _empty(self, links: Links, folder: Path, timeline: Timeline) -> ProcessStage:
        return ContainedStage(self, links, folder, timeline)


class ContainedStage(ProcessStage):
    """A server that is a container."""

    def __init__(self, backend: Contained, links: Links, folder: Path, timeline: Timeline) -> None:
        super().__init__(backend.processes, links, folder, timeline)
        self._image, self._composition = backend.image, backend.composition()

    def strike(self) -> None:
        """End every actor, and let go of the engine."""
        try:
            super().strike()
        finally:
            self._composition.close()

    def inject(self, fault: Fault) -> Injected:
        """What befalls the server is the engine's doing; the rest is as on any stage of processes."""
        server = self._actors[SERVER]
        if fault.who != SERVER or not isinstance(server, InContainer):
            return super().inject(fault)
        if server.gone:
            raise server.why_gone()
        match fault:
            case Kill() | Interrupt() | Stop():
                number = {"kill": "SIGKILL", "interrupt": "SIGINT"}.get(fault.name, "SIGTERM")
                before = now()
                call(lambda: server.container.kill(signal=number))
                return Injected(Bracket(before, now()), number, self._restart_server)
            case Pause():
                return self._freeze(server)
        raise StageError(f"no container can suffer {fault.name!r}")

    def _freeze(self, server: InContainer) -> Injected:
        before = now()
        call(server.container.pause)
        bracket = Bracket(before, now())

        def mend() -> None:
            call(server.container.reload)
            if server.container.status == "paused":
                call(server.container.unpause)

        return Injected(bracket, "paused", mend)

    def _start_server(self) -> None:
        self._actors[SERVER] = InContainer(SERVER, self.timeline, self._composition, self._image)

    def _listening(self) -> tuple[str, int]:
        server = self._actors[SERVER]
        assert isinstance(server, InContainer)
        port, late = server.published(), f"nobody in the container answers on port {self._image.port}"
        what = f"the container ({self._image.allowed})"
        await_listening(server, lambda: _answers(port), lambda: server.exit.code if server.exit else None, what, late)
        said = Observation(self.timeline.elapsed(), SERVER, "listening", "", {"port": port, "pid": 0})
        self.timeline.record(said)
        return HOST, port

    def _end(self, actor: Actor) -> None:
        if isinstance(actor, InContainer):
            actor.end()
        else:
            super()._end(actor)


class InContainer(Actor):
    """A server in a container. It takes no orders.

    Attributes:
        container: the Docker SDK's handle.
    """

    def __init__(self, name: str, timeline: Timeline, ours: Composition, image: Image) -> None:
        self._inside = f"{image.port}/tcp"
        self.container = call(
            lambda: ours.client.containers.create(
                image.name,
                environment={"PORT": str(image.port), "PYTHONUNBUFFERED": "1", **image.env},
                labels={compose.SERVICE: SERVER, **labels(ours)},
                network=network(ours),
                ports={self._inside: (HOST, 0)},
                cap_drop=["ALL"],
                cap_add=list(image.allowed.capabilities),
                security_opt=["no-new-privileges:true"],
                mem_limit=image.allowed.memory,
                memswap_limit=image.allowed.memory,
                pids_limit=image.allowed.processes,
            )
        )
        self._streams = Attached(self.container)
        super().__init__(name, timeline, Deaf(self._streams.close))
        self._listener = threading.Thread(target=self._listen, name=f"{name} streams", daemon=True)
        self._listener.start()
        try:
            call(self.container.start)
        except BaseException:
            self.end()
            raise

    def published(self) -> int:
        """Its port on this machine; 0 when it has ended already."""
        call(self.container.reload)
        bound = self.container.ports.get(self._inside)
        return int(bound[0]["HostPort"]) if bound else 0

    def end(self) -> None:
        """Remove it, running or not."""
        with suppress(StageError):  # somebody has done so already, or the engine is gone and took it along
            call(lambda: self.container.remove(force=True, v=True))
        self.close()
        self._listener.join(ENGINE_SECONDS)

    def _listen(self) -> None:
        lines = {STDOUT: Lines(self, "stdout"), STDERR: Lines(self, "stderr")}
        while (frame := self._streams.read_frame()) is not None:
            kind, data = frame
            if kind in lines:
                lines[kind].hear(data)
        for each in lines.values():
            each.end()
        ended = now()
        with suppress(StageError):  # it is being removed
            code = int(call(self.container.wait)["StatusCode"])
            asked = now()
            self.exited(code, ended if asked - ended < ENGINE_SECONDS else asked)


def network(ours: Composition) -> str:
    """The name of the check's network."""
    return f"{ours.project}_back"


def labels(ours: Composition) -> dict[str, str]:
    """What says whose it is, and until when nobody else may sweep it."""
    return {
        removal.PROJECT: ours.project,
        compose.SESSION: ours.project,
        compose.RUNNER: lease.me(),
        compose.UNTIL: str(int(time.time()) + compose.LEASE_SECONDS["run"]),
    }


def _answers(port: int) -> bool:
    """Whether somebody in there answers: the engine's own proxy takes every connection, and then drops it."""
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as asking:
            asking.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
            return bool(asking.recv(1))
    except OSError:
        return False
