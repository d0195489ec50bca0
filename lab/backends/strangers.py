"""Processes that actors leave behind: the fork server inherits them, waits a little for some, and kills the rest."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple

from lab.followed import FORK

KILLED = -9

MARK, NAME = "HANGUP_ACTOR", "hangup-"
"""What tells whose a process is: a variable that a program inherits, and a name that a fork does."""


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


def inherited(
    those: set[int], children: set[int], exits: Collection[int], servers: set[int]
) -> tuple[dict[int, int], set[int]]:
    """Of those, each whose actor has exited, with the actor; and those whose actor is nobody any more.

    One whose owner is not known may belong to any server that still runs. Once no server runs, it counts as nobody's.
    """
    found: dict[int, int] = {}
    nobodys: set[int] = set()
    for pid in those:
        owner = owner_of(pid)
        if owner in exits:
            found[pid] = owner
        elif owner not in children and (owner or not servers & children):
            nobodys.add(pid)
    return found, nobodys


def mark(pid: int) -> None:
    """Give this process, an actor, what its own processes inherit, whether they are forked or run something else."""
    os.environ[MARK] = str(pid)
    with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as name:  # noqa: PTH123  # as below
        name.write(f"{NAME}{pid}")


def owner_of(pid: int) -> int:
    """Whose process it is, by its group, its environment or its name; 0 if it has hidden all of that."""
    with suppress(OSError, ValueError):
        environ = dict(one.partition(b"=")[::2] for one in _read(pid, "environ").split(b"\0"))
        if own := environ.get(MARK.encode()):
            return int(own)
        name = _read(pid, "comm").decode(errors="replace").strip()
        return int(name.removeprefix(NAME)) if name.startswith(NAME) else 0
    return 0


def _read(pid: int, what: str) -> bytes:
    with open(f"/proc/{pid}/{what}", "rb") as found:  # noqa: PTH123  # a Path takes longer
        return found.read()


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
    with suppress(OSError):
        return _read(pid, "cmdline")[:1000].replace(b"\0", b" ").strip().decode(errors="replace")
    return ""


def bury(left: set[int]) -> None:
    """Kill them, and whatever they leave in turn."""
    for pid in left:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    for pid in left:
        with suppress(OSError):
            os.waitpid(pid, 0)
