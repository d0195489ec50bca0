"""What can be seen of a server from outside its process: rows still open, sockets still open."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import psutil

from lab.timeline import Json

if TYPE_CHECKING:
    from sqlalchemy import Engine

COUNTING = re.compile(r"\s*select\s+count\s*\(", re.IGNORECASE)
CLOSED = ("LISTEN", "NONE", "CLOSE", "TIME_WAIT", "FIN_WAIT2", "FIN_WAIT1", "LAST_ACK", "CLOSING")
"""States of a socket that its process has given back to the kernel, or that are none of a connection's."""


def is_stopped(pid: int) -> bool:
    """Whether that process has been stopped by a signal."""
    with suppress(psutil.Error, OSError):
        return pid > 0 and bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False


@dataclass(frozen=True, slots=True)
class Outside:
    """Looks from outside.

    Attributes:
        rows_url, rows_sql: a database as SQLAlchemy names it, and a query that yields a row for each open session,
            or counts them.
        pid, port: the server's process and the port it listens on; 0 where that cannot be looked at.
        first: the first survey.
    """

    rows_url: str = ""
    rows_sql: str = ""
    pid: int = 0
    port: int = 0
    first: dict[tuple[str, str], int] = field(default_factory=dict)

    def look(self) -> Iterator[tuple[str, int, str, str]]:
        """What, how many, whose the first one is, and why that could not be counted."""
        if self.rows_sql:
            yield self._rows()
        if self.pid:
            with suppress(psutil.Error, OSError):
                yield "sockets", len(set(self._open())), "", ""

    def survey(self) -> list[Json]:
        """The sizes of what the system knows of the process and its children, as a witness would say them."""
        sizes: Counter[tuple[str, str]] = Counter()
        if self.pid:
            with suppress(psutil.Error, OSError):
                family = psutil.Process(self.pid)
                for one in (family, *family.children(recursive=True)):
                    sizes.update(self._sizes(one))
        base = self.first or dict(sizes)
        if not self.first:
            self.first.update(base)
        return [[what, key, sizes[what, key], base.get((what, key), 0), -1, ""] for what, key in sizes | base]

    def _sizes(self, process: psutil.Process) -> Iterator[tuple[str, str]]:
        """Threads, child processes and descriptors; not the sockets of its clients, which are counted apart."""
        with suppress(psutil.Error, OSError):
            if process.pid != self.pid:
                yield "process", process.name()
            yield from (("thread", process.name()) for _ in range(process.num_threads()))
            yield from (("descriptor", "file") for _ in process.open_files())
            for socket in process.net_connections("inet"):
                if socket.laddr.port != self.port and socket.raddr:
                    yield "descriptor", f"outgoing socket to {socket.raddr[0]}:{socket.raddr[1]}"

    def _rows(self) -> tuple[str, int, str, str]:
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with _engine(self.rows_url).connect() as connection:
                rows = connection.execute(text(self.rows_sql)).fetchall()
        except (SQLAlchemyError, ImportError) as error:
            if "no such table" in str(error) or "unable to open database" in str(error):
                return "rows", 0, "", ""  # it is not there yet
            return "rows", 0, "", str(error).partition("\n")[0]
        if COUNTING.match(self.rows_sql) and rows:
            return "rows", int(rows[0][0]), "", ""
        return "rows", len(rows), str(rows[0][0]) if rows else "", ""

    def _open(self) -> Iterator[tuple[str, int]]:
        """The client's end of every connection to the port, in the process and its children, who may share it."""
        process = psutil.Process(self.pid)
        for one in (process, *process.children(recursive=True)):
            for socket in one.net_connections("tcp"):
                if socket.status not in CLOSED and socket.laddr.port == self.port:
                    yield str(socket.raddr[0]), int(socket.raddr[1])


def unusable(url: str) -> str:
    """Why no database can be had by that name, as far as can be known without asking it; "" if it may be."""
    from sqlalchemy.exc import ArgumentError

    try:
        _engine(url.replace("{folder}", "."))
    except (ArgumentError, ImportError, ValueError) as error:
        return str(error).partition("\n")[0]
    return ""


@cache
def _engine(url: str) -> Engine:
    """One that keeps no connection: who only looks must not be in the way of who writes."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    return create_engine(url, poolclass=NullPool)
