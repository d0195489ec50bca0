"""The server's log as facts, each line with the connection in whose context it was written."""

from __future__ import annotations

import logging
import sys

from lab.actors.voice import observe
from lab.witness.connections import connection


class FactHandler(logging.Handler):
    """Says every log record as a `logged` fact."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record, one fact; a traceback is reduced to the exception's own line."""
        error = ""
        if record.exc_info and record.exc_info[0] is not None:
            error = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"
        level = record.levelname.lower()
        observe("logged", connection.get(), level=level, logger=record.name, text=record.getMessage(), error=error)


def tell_logs() -> None:
    """Send all logging to the timeline as facts, and to standard error for human eyes."""
    human = logging.StreamHandler(sys.stderr)
    human.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [FactHandler(), human]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
