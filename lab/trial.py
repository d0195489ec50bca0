"""A first look at a scenario's file, in a process that may come to an end: the file is somebody's own code."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress

from lab.scenario import load

SECONDS = 5.0
"""How long a file may take to be loaded; those of the lab take a millisecond."""

FINE = 77
"""The exit code of a child that came to the end of the file. Whether the file is right is found out here."""


def try_to_load(name: str) -> str:
    """Load it in a child. Why it must not be loaded here: it ends its process, or never ends; "" if neither."""
    if not hasattr(os, "fork"):
        return ""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _load_quietly(name)
    os.close(writing)
    try:
        over, _, _ = select.select([reading], [], [], SECONDS)  # the pipe is closed when the child is gone
        if not over:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(reading)
    if not over:
        return f"it is not loaded after {SECONDS:g} s"
    code = os.waitstatus_to_exitcode(status)
    return "" if code == FINE else f"it ends the process that loads it (exit code {code})"


def _load_quietly(name: str) -> None:
    """In the child; never comes back."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        with suppress(BaseException):
            load(name)
    finally:
        os._exit(FINE)
