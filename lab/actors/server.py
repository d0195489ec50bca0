"""The server actor: any ASGI application on uvicorn, with the witness beside it.

Run as `python -m lab.actors.server module:attribute`; settings come from the environment (see `Settings`).
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from lab.actors.voice import observe, take_stdout
from lab.witness.census import Held, Rows
from lab.witness.connections import NAME_HEADER, ASGIApp, Connections
from lab.witness.ears import Ears
from lab.witness.flavour import protocol
from lab.witness.logs import tell_logs
from lab.witness.tasks import Tasks
from lab.witness.wire import Wires

OPEN_ROWS = "SELECT client FROM session WHERE ended_at IS NULL"
"""The reference server's rows that no end has closed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to serve, from the environment.

    Attributes:
        host, port: where to listen; port 0 takes any free one and says which.
        flavour: which WebSocket implementation; see lab.witness.flavour.
        database: the reference server's SQLite file, whose open rows the census counts.
        leave_on_eof: end when standard input closes.
    """

    host: str = "127.0.0.1"
    port: int = 0
    flavour: str = "rfc6455"
    database: str = ""
    leave_on_eof: bool = True

    @classmethod
    def from_environment(cls) -> Settings:
        """LAB_HOST, LAB_PORT, LAB_FLAVOUR, LAB_DATABASE, LAB_LEAVE_ON_EOF."""
        env = os.environ
        return cls(
            env.get("LAB_HOST", "127.0.0.1"),
            int(env.get("LAB_PORT", "0")),
            env.get("LAB_FLAVOUR", "rfc6455"),
            env.get("LAB_DATABASE", ""),
            env.get("LAB_LEAVE_ON_EOF", "1") == "1",
        )


def entries_of(app: object) -> Iterator[Held]:
    """The manager entries of the reference server and its broken relatives."""
    manager = getattr(getattr(app, "state", None), "manager", None)
    for session in tuple(getattr(manager, "sessions", ())):
        name = session.websocket.headers.get(NAME_HEADER, session.user)
        yield Held("connection", name, holder=f"app.state.manager.sessions[{session.user!r}]")


@dataclass(frozen=True, slots=True)
class Witness:
    """What watches the application from inside its process."""

    connections: Connections
    tasks: Tasks
    wires: Wires
    ears: Ears

    @classmethod
    def of(cls, app: ASGIApp, settings: Settings) -> Witness:
        """A witness for this application."""
        connections, tasks = Connections(app), Tasks()
        wires = Wires(lambda peer: connections.names.get(peer, f"{peer[0]}:{peer[1]}"))
        rows = Rows(Path(settings.database).absolute(), OPEN_ROWS) if settings.database else None
        ears = Ears(connections, tasks, wires, lambda: entries_of(app), rows, leave_on_eof=settings.leave_on_eof)
        return cls(connections, tasks, wires, ears)


class WitnessedServer(uvicorn.Server):
    """A server that is watched, says when and where it listens, and hears orders from then on."""

    def __init__(self, config: uvicorn.Config, witness: Witness) -> None:
        super().__init__(config)
        self.witness = witness

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Start as uvicorn does, then say so."""
        loop = asyncio.get_running_loop()
        self.witness.tasks.watch(loop)
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            observe("listening", port=port, pid=os.getpid())
            self.witness.ears.listen(loop)


def main(argv: list[str]) -> None:
    """Serve until told to stop."""
    take_stdout()
    tell_logs()
    settings = Settings.from_environment()
    module_name, _, attribute = argv[0].partition(":")
    module = importlib.import_module(module_name)
    pings: float | None = getattr(module, "PING_SECONDS", 0.5)
    witness = Witness.of(getattr(module, attribute or "app"), settings)
    config = uvicorn.Config(
        witness.connections,
        host=settings.host,
        port=settings.port,
        loop="asyncio",
        ws=witness.wires.tap(protocol(settings.flavour)),
        ws_ping_interval=pings,
        ws_ping_timeout=pings,
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=3,
    )
    WitnessedServer(config, witness).run()


if __name__ == "__main__":
    main(sys.argv[1:])
