"""Command lines, timed: how long one takes, and how much of the processor it and all that it started used."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.clock import now


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds: by the clock, and of the processor."""

    wall: float
    processor: float


def lab(*args: str, cwd: Path | None = None, good: tuple[int, ...] = (0,), **env: str) -> Cost:
    """What `lab` costs with these arguments.

    Args:
        good: the exit codes of a run that is worth measuring.
    """
    return timed([sys.executable, "-m", "lab", *args], cwd, env, good)


def timed(
    command: Sequence[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    good: tuple[int, ...] = (0,),
) -> Cost:
    """What a command costs.

    Raises:
        CalledProcessError: it failed, and its figures are worth nothing.
    """
    used, before = _used(), now()
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path} | dict(env or {}),
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    cost = Cost(now() - before, _used() - used)
    if done.returncode not in good:
        done.check_returncode()
    return cost


def _used() -> float:
    """By all that has ended and was waited for."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
