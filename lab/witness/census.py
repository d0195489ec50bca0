"""The census: what this process holds for each connection, right now."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.witness.connections import Connections
from lab.witness.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Held:
    """One thing the server holds.

    Attributes:
        kind: connection, handler, task or row.
        who: the connection it is held for; for a row, the user.
        evidence: what was seen, as far as it can be said in a few words.
        holder: what holds it.
    """

    kind: str
    who: str
    evidence: str = ""
    holder: str = ""


class Rows:
    """Reads open rows straight from an SQLite file, beside the application.

    Args:
        database: the file. It may not exist yet: then there are no rows.
        sql: a query whose first column says whose each open row is.
    """

    def __init__(self, database: Path, sql: str) -> None:
        self.database = database
        self.sql = sql

    def open(self) -> Iterator[Held]:
        """The open rows. Errors of the database are the caller's to report."""
        if not self.database.exists():
            return
        connection = sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True, timeout=1.0)
        try:
            for (who,) in connection.execute(self.sql):
                yield Held("row", str(who))
        finally:
            connection.close()


def take(connections: Connections, tasks: Tasks, entries: Callable[[], Iterator[Held]]) -> Iterator[Held]:
    """Everything but rows, on the event loop, so that nothing moves meanwhile."""
    for who in list(connections.running):
        yield Held("handler", who)
    for who, waits in tasks.alive():
        yield Held("task", who, waits)
    yield from entries()
