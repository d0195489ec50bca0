"""A server in any language: a command of the participant's, looked at from outside."""

from __future__ import annotations

import random
import re
import shlex
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil

from lab.backends.actors import Actor, StageError
from lab.backends.embedded import READY_SECONDS, Embedded, ProcessStage
from lab.backends.link import Links
from lab.backends.processes import Processes
from lab.backends.stage import Injected
from lab.check.guarded import Guarded
from lab.check.subject import Allowed, Subject
from lab.clock import now
from lab.faults import SERVER, Fault
from lab.timeline import Observation, Timeline

PORT = "{port}"
PORTS = range(20_000, 30_000)
"""Below the ports that a kernel gives to whoever connects: what is free here stays so until the command has it."""

POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and where it will listen.

    Attributes:
        line, url: as given; `{port}` in the url is a free port, another for each stage, and in the line the url's. The
            command must stay in the foreground.
        env: more for its environment; `{folder}` stands for the stage's own folder. PORT is the port.
    """

    line: str
    url: str
    env: Mapping[str, str]

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            StageError: the url is none, or the line cannot be split into words.
        """
        host_and_port(self.url)
        try:
            words = shlex.split(self.line)
        except ValueError as why:
            raise StageError(f"--command {self.line!r} cannot be split into words: {why}") from None
        if not words:
            raise StageError("--command is empty")

    @property
    def roams(self) -> bool:
        """Whether it can run several times at once."""
        return PORT in self.url


@dataclass(frozen=True, slots=True)
class Image:
    """What to run in a container.

    Attributes:
        name: the image's.
        port: where it listens inside; it is told in its environment too, as PORT.
        env: more for its environment.
        allowed: what it may have.
    """

    name: str
    port: int
    env: Mapping[str, str]
    allowed: Allowed


class Commanded(Embedded):
    """Sets stages whose server is a command's."""

    name = "command"

    def __init__(self, command: Command, processes: Processes) -> None:
        super().__init__(processes=processes)
        self.command = command
        self.started: set[Guarded] = set()

    def clear(self) -> None:
        """End every command."""
        for actor in tuple(self.started):
            actor.end()

    def _empty(self, links: Links, folder: Path, timeline: Timeline) -> ProcessStage:
        return CommandedStage(self, links, folder, timeline)


class CommandedStage(ProcessStage):
    """A server that is a process of somebody else's making."""

    def __init__(self, backend: Commanded, links: Links, folder: Path, timeline: Timeline) -> None:
        super().__init__(backend.processes, links, folder, timeline)
        self._backend = backend
        self._host, port = host_and_port(backend.command.url)
        self._port = port or _free_port()

    def inject(self, fault: Fault) -> Injected:
        """As any stage of processes; but a server that has ended can suffer no more."""
        server = self._actors[SERVER]
        if fault.who == SERVER and server.gone:
            raise server.why_gone()
        return super().inject(fault)

    def _start_server(self) -> None:
        command, port = self._backend.command, str(self._port)
        if listens(self._host, self._port):
            raise StageError(f"somebody listens on {self._host}:{port} already, and it is not what was to be started")
        env = {
            "PORT": port,
            "PYTHONUNBUFFERED": "1",  # Python keeps what it prints to a pipe for itself, until there is more of it
            **{key: value.replace("{folder}", str(self.folder)) for key, value in command.env.items()},
        }
        argv = [word.replace(PORT, port) for word in shlex.split(command.line)]
        server = self._actors[SERVER] = Guarded(SERVER, self.timeline, argv, env)
        self._backend.started.add(server)

    def _listening(self) -> tuple[str, int]:
        server = self._actors[SERVER]
        assert isinstance(server, Guarded)
        late = f"the command does not listen on {self._host}:{self._port}"
        await_listening(server, lambda: listens(self._host, self._port), lambda: server.ended, "the command", late)
        said = {"port": self._port, "pid": server.pid}
        self.timeline.record(Observation(self.timeline.elapsed(), SERVER, "listening", "", said))
        return self._host, self._port

    def _end(self, actor: Actor) -> None:
        if isinstance(actor, Guarded):
            actor.end()
            self._backend.started.discard(actor)
        else:
            super()._end(actor)

    def _family(self, actor: Actor) -> list[psutil.Process]:
        """The server may be what `npm start` or a shell has started: its children first."""
        one = psutil.Process(actor.pid)
        if actor.name != SERVER:
            return [one]
        found = [child for child in one.children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
        return [*reversed(found), one]


def host_and_port(url: str) -> tuple[str, int]:
    """Where a url leads; port 0 where it says `{port}`.

    Raises:
        StageError: it is no `ws://` url.
    """
    try:
        there = urlsplit(url.replace(PORT, "0"))
        scheme, host, port = there.scheme, there.hostname, there.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme != "ws" or not host or re.search(r"\s", url):
        raise StageError(f"--url {url!r} is not ws://HOST:PORT/PATH")
    return host, 80 if port is None else port


def at_url(subject: Subject) -> Subject:
    """The subject with the path and the query of its url, unless it has its own.

    Raises:
        StageError: it is no `ws://` url.
    """
    host_and_port(subject.url)
    there = urlsplit(subject.url.replace(PORT, "0"))
    own = tuple(unquote(one) for one in there.query.split("&") if one)
    path = (there.path or "/") if subject.path is None else subject.path
    return replace(subject, path=path, query=(*own, *subject.query))


def listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
    raise StageError(f"of 100 ports from {PORTS.start} to {PORTS.stop} none is free")


def await_listening(
    server: Actor, listens: Callable[[], bool], ended: Callable[[], int | None], what: str, late: str
) -> None:
    """Wait until a server that says nothing to us listens. What another process does can only be looked at.

    Args:
        ended: its exit code, once it has one.
        what, late: how it is called, and what is said of it if it never does.

    Raises:
        StageError: it ended, or it took too long.
    """
    deadline = now() + READY_SECONDS
    while not listens():
        if (code := ended()) is not None:
            raise StageError(f"{what} ended before it listened (exit code {code})", tuple(server.log))
        if now() > deadline:
            raise StageError(f"{late} within {READY_SECONDS:.0f} s", tuple(server.log))
        time.sleep(POLL_SECONDS)
