"""The server actor: any ASGI application on uvicorn, with the witness beside it.

Run as `python -m lab.actors.server APP`; settings come from the environment (see `Settings`).
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from lab.actors.voice import Notes, observe, say_notes, take_stdout
from lab.servers import OPEN_ROWS
from lab.witness.applications import Application, NoApplication, load, routes
from lab.witness.census import Census, Rows
from lab.witness.clock import Clock
from lab.witness.compat.trial import tried
from lab.witness.connections import Connections
from lab.witness.ears import Ears
from lab.witness.flavour import protocol
from lab.witness.logs import tell_logs
from lab.witness.mover import Mover
from lab.witness.ownership import Ownership, decide
from lab.witness.roots import Roots
from lab.witness.survey import Survey
from lab.witness.tasks import Tasks
from lab.witness.threads import Threads
from lab.witness.wire import Wires

PING_SECONDS = 0.5
"""How often a scenario's server pings, and how long it waits for the answer: uvicorn's own 20 s, made short."""


OWN = "lab.servers.broken."
"""Where the servers are that have one mistake each: in two of them it is how often they ping."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to serve, from the environment.

    Attributes:
        host, port: where to listen; port 0 takes any free one and says which.
        flavour: which WebSocket implementation; see lab.witness.flavour.
        database: the reference server's SQLite file, whose open rows the census counts.
        factory: whether APP makes the application, rather than being it.
        grace: seconds that handlers get at a shutdown; None as long as they want, which is uvicorn's own default.
        leave_on_eof: end when standard input closes.
        pings: seconds between two pings, and as many for the answer; None for no pings.
        moves: whether the clock can be moved.
    """

    host: str = "127.0.0.1"
    port: int = 0
    flavour: str = "rfc6455"
    database: str = ""
    factory: bool = False
    grace: int | None = 3
    leave_on_eof: bool = True
    pings: float | None = PING_SECONDS
    moves: bool = False

    @classmethod
    def from_environment(cls) -> Settings:
        """LAB_ and the name of each, in capitals."""
        env = os.environ
        grace, pings = env.get("LAB_GRACE", "3"), env.get("LAB_PINGS", str(PING_SECONDS))
        return cls(
            env.get("LAB_HOST", "127.0.0.1"),
            int(env.get("LAB_PORT", "0")),
            env.get("LAB_FLAVOUR", "rfc6455"),
            env.get("LAB_DATABASE", ""),
            env.get("LAB_FACTORY", "") == "1",
            int(grace) if grace else None,
            env.get("LAB_LEAVE_ON_EOF", "1") == "1",
            float(pings) if pings else None,
            env.get("LAB_MOVES", "") == "1",
        )


@dataclass(frozen=True, slots=True)
class Witness:
    """What watches the application from inside its process."""

    connections: Connections
    tasks: Tasks
    wires: Wires
    ears: Ears

    @classmethod
    def of(cls, application: Application, threads: Threads, clock: Clock, settings: Settings) -> Witness:
        """A witness for this application."""
        note = Notes().note
        wires, tasks = Wires(note), Tasks()
        connections = Connections(application.app, note)
        rows = Rows(Path(settings.database).absolute(), OPEN_ROWS) if settings.database else None
        roots = Roots(application.package, application.app, wires.protocols)
        census, survey = Census(connections, tasks, threads, roots), Survey(connections, tasks, roots)
        mover = Mover(clock, wires, threads)
        return cls(
            connections, tasks, wires, Ears(census, survey, mover, wires, rows, leave_on_eof=settings.leave_on_eof)
        )

    def surround(self, config: uvicorn.Config) -> None:
        """Watch what the server calls: the application, and whatever uvicorn itself puts round it."""
        config.load()
        self.connections.app = config.loaded_app  # what uvicorn made of it may hold the scope, too
        config.loaded_app = self.connections


class WitnessedServer(uvicorn.Server):
    """A server that is watched, says when and where it listens, and hears orders from then on."""

    def __init__(self, config: uvicorn.Config, witness: Witness, paths: tuple[str, ...]) -> None:
        super().__init__(config)
        self.witness, self.paths = witness, paths

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Start as uvicorn does, then say so."""
        loop = asyncio.get_running_loop()
        self.witness.tasks.watch(loop)
        await super().startup(sockets)
        unknown = sorted(await tried(self.config))
        gc.collect()
        gc.freeze()  # what was there before anybody connected is nobody's orphan, and need not be looked at again
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            self.witness.ears.survey.port = port
            self.witness.ears.mover.main = asyncio.current_task()
            self.witness.ears.mover.underway.stand(loop)
            observe("listening", port=port, pid=os.getpid(), routes=self.paths, unknown=unknown)
            self.witness.ears.listen(loop)


def pings_of(application: Application, settings: Settings) -> float | None:
    """How often to ping: a broken server of the lab's own may say so itself, by its `PING_SECONDS`."""
    if not application.module.__name__.startswith(OWN):
        return settings.pings
    seconds: float | None = getattr(application.module, "PING_SECONDS", settings.pings)
    return seconds


def main(argv: list[str]) -> None:
    """Serve until told to stop."""
    take_stdout()
    tell_logs()
    settings = Settings.from_environment()
    threads, clock = Threads(), Clock()
    threads.watch()
    if settings.moves:
        clock.install()
    before = frozenset(sys.modules)
    try:
        application = load(argv[0], factory=settings.factory)
    except NoApplication as error:
        sys.exit(str(error))
    decide(Ownership.of(application, before))
    witness = Witness.of(application, threads, clock, settings)
    pings = pings_of(application, settings)
    config = uvicorn.Config(
        application.app,
        host=settings.host,
        port=settings.port,
        loop="asyncio",
        interface=application.interface,
        ws=witness.wires.tap(protocol(settings.flavour)),
        ws_ping_interval=pings,
        ws_ping_timeout=pings,
        log_config=None,
        lifespan="auto",
        timeout_graceful_shutdown=settings.grace,
    )
    witness.surround(config)
    try:
        WitnessedServer(config, witness, tuple(routes(application.app))).run()
    finally:
        say_notes()


if __name__ == "__main__":
    main(sys.argv[1:])
