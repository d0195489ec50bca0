"""Of what a handler died, and in which line of whose code."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from lab.witness.code import is_ours

GOODBYES = ("CancelledError", "ClientDisconnected", "GeneratorExit", "WebSocketDisconnect")
"""Exceptions that end a handler in an ordinary way: ten thousand of them at once must cost nothing."""

INSTALLED = ("site-packages", "dist-packages")

SHOWN = 200


class Death(NamedTuple):
    """How a handler ended that did not end in an ordinary way.

    Attributes:
        said: the exception, as Python shows it.
        at_line: `room.py:27`, the innermost line of the application's own code; of a package's where it has none.
    """

    said: str
    at_line: str


def death_of(raised: BaseException) -> Death | None:
    """None for an ordinary end. Of a group, the first exception in it that is none."""
    if type(raised).__name__ in GOODBYES:
        return None
    if isinstance(raised, BaseExceptionGroup):
        return next(filter(None, map(death_of, raised.exceptions)), None)
    return Death(_said(raised), at_line(raised.__traceback__))


def _said(raised: BaseException) -> str:
    try:
        return repr(raised)[:SHOWN]
    except Exception:  # the application's own __repr__
        return type(raised).__name__


def at_line(trace: TracebackType | None) -> str:
    """The innermost line of the application's that an exception came through; of a package's where it has none."""
    mine = theirs = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        line = f"{Path(file).name}:{trace.tb_lineno}"
        if is_ours(file):
            mine = line
        elif any(part in file for part in INSTALLED):
            theirs = line
        trace = trace.tb_next
    return mine or theirs
