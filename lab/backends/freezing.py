"""Processes of this machine that are frozen with SIGSTOP, and go on with SIGCONT."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import psutil

from lab.backends.actors import StageError
from lab.clock import Bracket, now

STOP_SECONDS = 10.0
"""How long processes may take to stop; a busy machine lets them wait."""


def freeze(family: Sequence[psutil.Process], name: str) -> Bracket:
    """Stop them, and wait until they have: SIGSTOP stops each thread at its next return to user space.

    Raises:
        StageError: they do not stop.
    """
    before = now()
    for process in family:
        process.suspend()
    while any(process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP) for process in family):
        if now() - before > STOP_SECONDS:
            raise StageError(f"{name} does not stop")
    return Bracket(before, now())


def resume(family: Sequence[psutil.Process]) -> None:
    """Let them go on; one that is gone need not."""
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.resume()
