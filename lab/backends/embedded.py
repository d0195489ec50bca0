"""The lab without Docker: actors are processes of this machine, links are sockets of this process."""

from __future__ import annotations

import os
import signal
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lab.backends.actors import Actor, StageError
from lab.backends.faultlink import Link
from lab.backends.freezing import freeze, resume
from lab.backends.link import EmbeddedLink, Links
from lab.backends.processes import Processes, open_processes
from lab.backends.stage import Cast, Injected, Mend, forgetting
from lab.clock import Bracket, now
from lab.faults import SERVER, Cut, Fault, Idle, Interrupt, Kill, Pause, Reset, Stall, Stop, Unplug
from lab.servers import REFERENCE
from lab.timeline import Timeline

READY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Served:
    """Which server to put on the stage.

    Attributes:
        app: `module:attribute`.
        flavour: its WebSocket implementation.
        env: more for its environment; `{folder}` stands for the stage's own folder.
        database: whether it is given a database of the stage's own, as the reference wants one.
    """

    app: str = REFERENCE
    flavour: str = "rfc6455"
    env: Mapping[str, str] = field(default_factory=dict)
    database: bool = True


class Embedded:
    """Sets stages out of processes; the fork server is shared by all of them."""

    name = "embedded"
    side_by_side = True

    def __init__(self, served: Served | None = None, processes: Processes | None = None) -> None:
        self.served = served or Served()
        self.processes = processes or open_processes()

    def open(self) -> None:
        """Wait for the fork server."""
        self.processes.open()

    @contextmanager
    def stage(self, cast: Cast, timeline: Timeline) -> Iterator[ProcessStage]:
        """A server, and for each client a process and a link."""
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(dir=self.processes.folder))
            links = stack.enter_context(Links())
            stage = self._empty(links, folder, timeline)
            stack.callback(stage.strike)
            stage.set(cast)
            yield stage

    def close(self) -> None:
        """Leave nothing behind, and end the fork server."""
        self.clear()
        self.processes.close()

    def clear(self) -> None:
        """Leave nothing behind but the fork server, which somebody else may have lent."""

    def _empty(self, links: Links, folder: Path, timeline: Timeline) -> ProcessStage:
        return EmbeddedStage(self.served, self.processes, links, folder, timeline)


class ProcessStage(ABC):
    """Clients that are processes, each with a link to the server, whatever that is."""

    def __init__(self, processes: Processes, links: Links, folder: Path, timeline: Timeline) -> None:
        self.processes, self.timeline = processes, timeline
        self._links = links
        self.folder = folder
        self._actors: dict[str, Actor] = {}
        self._link: dict[str, EmbeddedLink] = {}

    def set(self, cast: Cast) -> None:
        """Start everything at once, then wait until each has said that it is ready."""
        self._start_server()
        for name in cast.clients:
            self._actors[name] = self.processes.start(name, "lab.actors.client", (), {}, self.timeline)
        upstream = self._listening()
        for name in cast.clients:
            link = self._links.open(name, upstream)
            self._link[name] = link
            if name in cast.armed:
                link.arm()
        for name in cast.clients:
            self._await(name, "ready")

    def strike(self) -> None:
        """End every actor."""
        self.processes.kill(self._actors.values())  # at once: each takes a few ms to go
        for actor in self._actors.values():
            self._end(actor)

    def actor(self, name: str) -> Actor:
        """The actor of that name."""
        if name not in self._actors:
            raise StageError(f"there is no {name} on this stage")
        return self._actors[name]

    def renew(self, client: str) -> None:
        """Start the client afresh."""
        before = sum(1 for _ in self.timeline.select("ready", source=client))
        self._end(self.actor(client))
        self._actors[client] = self.processes.start(client, "lab.actors.client", (), {}, self.timeline)
        self._await(client, "ready", before)

    def url(self, client: str) -> str:
        """Where that client dials: its own link."""
        host, port = self._link[client].address
        return f"ws://{host}:{port}/ws?user={{user}}"

    def look(self) -> None:  # noqa: B027  # not abstract: there is nothing to be done
        """Of this stage nothing can end but its actors."""

    def inject(self, fault: Fault) -> Injected:
        """A signal to a process, or a fault on a link."""
        try:
            return self._inject(fault)
        except psutil.NoSuchProcess:
            raise StageError(f"{fault.who} was gone before {fault.name}") from None

    def _inject(self, fault: Fault) -> Injected:
        match fault:
            case Kill() | Interrupt() | Stop():
                return self._signal(fault)
            case Pause(who):
                return self._pause(self.actor(who))
            case Cut() | Reset() | Stall() | Unplug() | Idle():
                return self._on_link(fault, self._link[fault.who])
        raise StageError(f"the embedded backend cannot do {fault.name!r}")

    def _signal(self, fault: Fault) -> Injected:
        actor = self.actor(fault.who)
        number = {"kill": getattr(signal, "SIGKILL", signal.SIGTERM), "interrupt": signal.SIGINT}.get(
            fault.name, signal.SIGTERM
        )
        before = now()
        if fault.name == "kill":
            for process in self._family(actor):
                process.kill()
        elif os.name == "nt":
            raise StageError(f"{fault.name} needs a POSIX signal, which Windows does not have")
        else:
            psutil.Process(actor.pid).send_signal(number)
        bracket = Bracket(before, now())
        mend: Mend = self._restart_server if fault.who == SERVER else lambda: None
        return Injected(bracket, number.name, mend)

    def _pause(self, actor: Actor) -> Injected:
        family = self._family(actor)
        return Injected(freeze(family, actor.name), "stopped", lambda: resume(family))

    def _on_link(self, fault: Fault, link: Link) -> Injected:
        match fault:
            case Cut():
                bracket = link.cut()
            case Reset():
                bracket = link.reset()
            case Stall():
                bracket = link.stall()
            case Idle(_, seconds):
                bracket = link.idle(seconds, forgetting(self.timeline, fault))
            case _:
                bracket = link.blackhole()
        return Injected(bracket, "", lambda: _mend(link))

    def _restart_server(self) -> None:
        if self.timeline.sealed:
            return  # the story is over, and the next one gets a server of its own
        self._end(self._actors[SERVER])
        self._start_server()
        upstream = self._listening()
        for link in self._link.values():
            link.aim(upstream)

    @abstractmethod
    def _start_server(self) -> None:
        """Put the server among the actors; it need not listen yet."""

    @abstractmethod
    def _listening(self) -> tuple[str, int]:
        """Wait until it listens; where that is."""

    def _end(self, actor: Actor) -> None:
        self.processes.end(actor)

    def _family(self, actor: Actor) -> list[psutil.Process]:
        """The processes that are this actor."""
        return [psutil.Process(actor.pid)]

    def _await(self, name: str, what: str, before: int = 0) -> None:
        actor = self._actors[name]

        def said(timeline: Timeline) -> bool:
            return timeline.sealed or sum(1 for _ in timeline.select(what, source=name)) > before or bool(actor.exit)

        if not self.timeline.wait_for(said, READY_SECONDS):
            raise StageError(f"{name} was not ready after {READY_SECONDS:.0f} s", tuple(actor.log))
        if actor.exit:
            raise StageError(f"{name} did not start (exit code {actor.exit.code})", tuple(actor.log))


class EmbeddedStage(ProcessStage):
    """A server that is a process like the clients, with our witness in it."""

    def __init__(self, served: Served, processes: Processes, links: Links, folder: Path, timeline: Timeline) -> None:
        super().__init__(processes, links, folder, timeline)
        self.served, self._database = served, folder / "presence.sqlite3"

    def _start_server(self) -> None:
        own = {"LAB_DATABASE": str(self._database), "DATABASE_URL": f"sqlite+aiosqlite:///{self._database}"}
        env = {
            "LAB_FLAVOUR": self.served.flavour,
            **(own if self.served.database else {}),
            **{key: value.replace("{folder}", str(self.folder)) for key, value in self.served.env.items()},
        }
        argv = (self.served.app,)
        self._before = sum(1 for _ in self.timeline.select("listening"))
        self._actors[SERVER] = self.processes.start(SERVER, "lab.actors.server", argv, env, self.timeline)

    def _listening(self) -> tuple[str, int]:
        self._await(SERVER, "listening", self._before)
        said = self.timeline.last("listening", source=SERVER)
        assert said is not None
        return "127.0.0.1", int(said.number("port") or 0)


def _mend(link: Link) -> None:
    link.mend()
