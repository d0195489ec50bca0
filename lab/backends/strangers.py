"""Processes that actors leave behind: the fork server inherits them, waits a little for some, and kills the rest."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from lab.followed import FORK

KILLED = -signal.SIGKILL


class Left(NamedTuple):
    """A process that an actor has left behind.

    Attributes:
        actor: whose it was.
        until: how long it may take to follow.
    """

    actor: int
    until: float


def strangers(children: set[int]) -> set[int]:
    """Processes that an actor has left behind, where the system is one that says so."""
    me = os.getpid()
    with suppress(OSError), open(f"/proc/{me}/task/{me}/children", encoding="ascii") as found:  # noqa: PTH123  # a Path takes longer
        return {int(pid) for pid in found.read().split()} - children
    return set()


def inherited(those: set[int], children: set[int], exits: dict[int, int], servers: set[int]) -> dict[int, int]:
    """Each of those whose actor has exited, with the actor.

    Its group tells whose it is; if it has left that, it is a server's: clients start nothing. As long as another
    server runs it may be that one's, which is the same application.
    """
    ended = max(exits.keys() & servers, key=lambda actor: exits[actor] != KILLED, default=None)
    found: dict[int, int] = {}
    for pid in those:
        with suppress(ProcessLookupError):
            group = os.getpgid(pid)
            if group in exits:
                found[pid] = group
            elif group not in children and ended is not None and (exits[ended] != KILLED or not servers & children):
                found[pid] = ended
    return found


def follow(left: dict[int, Left]) -> Iterator[tuple[int, str]]:
    """Those that have ended, whose each was, and no command; and those whose time is over: they are killed."""
    for pid, one in tuple(left.items()):
        gone = True
        with suppress(ChildProcessError):
            gone = os.waitpid(pid, os.WNOHANG)[0] != 0
        if not gone and time.monotonic() < one.until:
            continue
        yield one.actor, "" if gone else command(pid)
        bury(set() if gone else {pid})
        del left[pid]


def command(pid: int) -> str:
    """What it was started as; FORK if it was forked, and started nothing else."""
    this, mine = (_command(one) for one in (pid, os.getpid()))
    return FORK if this == mine else this or str(pid)


def _command(pid: int) -> str:
    with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as found:  # noqa: PTH123  # a Path takes longer
        return found.read(1000).replace(b"\0", b" ").strip().decode(errors="replace")
    return ""


def bury(left: set[int]) -> None:
    """Kill them, and whatever they leave in turn."""
    for pid in left:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    for pid in left:
        with suppress(OSError):
            os.waitpid(pid, 0)
