"""The lab without Docker: actors are processes of this machine, links are sockets of this process."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lab.backends.actors import Actor, StageError
from lab.backends.faultlink import Link
from lab.backends.link import EmbeddedLink, Links
from lab.backends.processes import Processes, open_processes
from lab.backends.stage import Cast, Injected, Mend
from lab.clock import Bracket, now
from lab.faults import SERVER, Cut, Fault, Interrupt, Kill, Pause, Reset, Stall, Stop, Unplug
from lab.timeline import Timeline

READY_SECONDS = 10.0
REFERENCE = "lab.servers.reference.app:app"


@dataclass(frozen=True, slots=True)
class Served:
    """Which server to put on the stage.

    Attributes:
        app: `module:attribute`.
        flavour: its WebSocket implementation.
        env: more for its environment; `{folder}` stands for the stage's own folder.
    """

    app: str = REFERENCE
    flavour: str = "rfc6455"
    env: Mapping[str, str] = field(default_factory=dict)


class Embedded:
    """Sets stages out of processes; the fork server is shared by all of them."""

    name = "embedded"

    def __init__(self, served: Served | None = None, processes: Processes | None = None) -> None:
        self.served = served or Served()
        self.processes = processes or open_processes()

    def open(self) -> None:
        """Wait for the fork server."""
        self.processes.open()

    @contextmanager
    def stage(self, cast: Cast, timeline: Timeline) -> Iterator[EmbeddedStage]:
        """A server, and for each client a process and a link."""
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(dir=self.processes.folder))
            links = stack.enter_context(Links())
            stage = EmbeddedStage(self.served, self.processes, links, folder, timeline)
            stack.callback(stage.strike)
            stage.set(cast)
            yield stage

    def close(self) -> None:
        """End the fork server."""
        self.processes.close()


class EmbeddedStage:
    """Processes and links."""

    def __init__(self, served: Served, processes: Processes, links: Links, folder: Path, timeline: Timeline) -> None:
        self.served, self.processes, self.timeline = served, processes, timeline
        self._links = links
        self.folder = folder
        self._database = folder / "presence.sqlite3"
        self._actors: dict[str, Actor] = {}
        self._link: dict[str, EmbeddedLink] = {}

    def set(self, cast: Cast) -> None:
        """Start everything at once, then wait until each has said that it is ready."""
        self._start_server()
        for name in cast.clients:
            self._actors[name] = self.processes.start(name, "lab.actors.client", (), {}, self.timeline)
        upstream = self._listening(0)
        for name in cast.clients:
            link = self._links.open(name, upstream)
            self._link[name] = link
            if name in cast.armed:
                link.arm()
        for name in cast.clients:
            self._await(name, "ready")

    def strike(self) -> None:
        """End every actor."""
        for actor in self._actors.values():
            self.processes.end(actor)

    def actor(self, name: str) -> Actor:
        """The actor of that name."""
        if name not in self._actors:
            raise StageError(f"there is no {name} on this stage")
        return self._actors[name]

    def url(self, client: str) -> str:
        """Where that client dials: its own link."""
        host, port = self._link[client].address
        return f"ws://{host}:{port}/ws?user={{user}}"

    def inject(self, fault: Fault) -> Injected:
        """A signal to a process, or a fault on a link."""
        match fault:
            case Kill() | Interrupt() | Stop():
                return self._signal(fault)
            case Pause(who):
                return self._pause(self.actor(who))
            case Cut() | Reset() | Stall() | Unplug():
                return self._on_link(fault, self._link[fault.who])
        raise StageError(f"the embedded backend cannot do {fault.name!r}")

    def _signal(self, fault: Fault) -> Injected:
        actor = self.actor(fault.who)
        number = {"kill": getattr(signal, "SIGKILL", signal.SIGTERM), "interrupt": signal.SIGINT}.get(
            fault.name, signal.SIGTERM
        )
        before = now()
        if fault.name == "kill":
            psutil.Process(actor.pid).kill()
        elif os.name == "nt":
            raise StageError(f"{fault.name} needs a POSIX signal, which Windows does not have")
        else:
            psutil.Process(actor.pid).send_signal(number)
        bracket = Bracket(before, now())
        mend: Mend = self._restart_server if fault.who == SERVER else lambda: None
        return Injected(bracket, number.name, mend)

    def _pause(self, actor: Actor) -> Injected:
        process = psutil.Process(actor.pid)
        before = now()
        process.suspend()
        # SIGSTOP stops each thread at its next return to user space; `stopped` says that it has.
        while process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP):
            if now() - before > READY_SECONDS:
                raise StageError(f"{actor.name} does not stop")
        return Injected(Bracket(before, now()), "stopped", lambda: _resume(process))

    def _on_link(self, fault: Fault, link: Link) -> Injected:
        match fault:
            case Cut():
                bracket = link.cut()
            case Reset():
                bracket = link.reset()
            case Stall():
                bracket = link.stall()
            case _:
                bracket = link.blackhole()
        return Injected(bracket, "", lambda: _mend(link))

    def _start_server(self) -> None:
        env = {
            "LAB_FLAVOUR": self.served.flavour,
            "LAB_DATABASE": str(self._database),
            "DATABASE_URL": f"sqlite+aiosqlite:///{self._database}",
            **{key: value.replace("{folder}", str(self.folder)) for key, value in self.served.env.items()},
        }
        argv = (self.served.app,)
        self._actors[SERVER] = self.processes.start(SERVER, "lab.actors.server", argv, env, self.timeline)

    def _restart_server(self) -> None:
        if self.timeline.sealed:
            return  # the story is over, and the next one gets a server of its own
        before = sum(1 for _ in self.timeline.select("listening"))
        self.processes.end(self._actors[SERVER])
        self._start_server()
        upstream = self._listening(before)
        for link in self._link.values():
            link.aim(upstream)

    def _listening(self, before: int) -> tuple[str, int]:
        self._await(SERVER, "listening", before)
        said = self.timeline.last("listening", source=SERVER)
        assert said is not None
        return "127.0.0.1", int(said.number("port") or 0)

    def _await(self, name: str, what: str, before: int = 0) -> None:
        actor = self._actors[name]

        def said(timeline: Timeline) -> bool:
            return timeline.sealed or sum(1 for _ in timeline.select(what, source=name)) > before or bool(actor.exit)

        if not self.timeline.wait_for(said, READY_SECONDS):
            raise StageError(f"{name} was not ready after {READY_SECONDS:.0f} s", tuple(actor.log))
        if actor.exit:
            raise StageError(f"{name} did not start (exit code {actor.exit.code})", tuple(actor.log))


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()


def _mend(link: Link) -> None:
    link.mend()
