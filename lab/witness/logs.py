"""What the server logs and prints, as facts, each line with the connection in whose context it was written."""

from __future__ import annotations

import io
import logging
import sys
import threading
from typing import TextIO

from lab.actors.voice import observe
from lab.witness.connections import connection
from lab.witness.died import at_line

_logging = threading.local()
"""Whether this thread is in a logging handler just now: what that writes is a fact already."""


def tell_logs() -> None:
    """Make every log record and every printed line a `logged` fact, and pass them on to standard error.

    At the logger and not with a handler: an application that configures logging throws handlers away.
    """
    pass_on = logging.Logger.callHandlers

    def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        _tell(record)
        _logging.busy = True
        try:
            pass_on(logger, record)
        finally:
            _logging.busy = False

    logging.Logger.callHandlers = call_handlers  # type: ignore[assignment,method-assign]  # there is no hook there
    human = logging.StreamHandler(sys.stderr)
    human.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [human]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    sys.stdout, sys.stderr = Printed(sys.stderr, "stdout"), Printed(sys.stderr, "stderr")


def _tell(record: logging.LogRecord) -> None:
    """One record, one fact; a traceback is reduced to the exception's own line, and where it was raised."""
    error = place = ""
    if record.exc_info and record.exc_info[0] is not None:
        error = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"
        place = at_line(record.exc_info[2])
    level = record.levelname.lower()
    try:
        text = record.getMessage()
    except Exception:  # the application's own mistake in its arguments; logging itself says so on standard error
        text = str(record.msg)
    observe("logged", connection.get(), level=level, logger=record.name, text=text, error=error, place=place)


class Printed(io.TextIOBase):
    """A text stream whose lines are facts too."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name, self._rest = stream, name, ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base calls it a plain attribute
        """As the stream's."""
        return self._stream.encoding

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """As the stream's."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """No: nobody watches."""
        return False

    def write(self, text: str) -> int:
        """Pass it on; tell every line that is complete."""
        self._stream.write(text)
        if not getattr(_logging, "busy", False):
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                if line.strip():
                    observe("logged", connection.get(), level="info", logger=self._name, text=line, error="", place="")
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()
