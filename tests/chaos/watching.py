"""What must be so when a run is over, however it ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from tests.place import Place

PR_SET_CHILD_SUBREAPER = 36
GONE_SECONDS = 20.0
"""How long what was started may take to be gone."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code, or the signal that killed it, below zero; None if it hung.
        said: what it wrote, on both of its streams.
        seconds: how long it took.
    """

    code: int | None
    said: str
    seconds: float

    def faults(self, expected: frozenset[int]) -> Iterator[str]:
        """What is wrong with that."""
        if self.code is None:
            yield f"it hung: {self.said[-500:]}"
        elif self.code not in expected:
            yield f"exit code {self.code} is none of {sorted(expected)}: {self.said[-500:]}"
        if "Traceback (most recent call last)" in self.said:
            yield f"a traceback: {self.said[-1500:]}"
        if "\x1b" in self.said:
            yield "an escape sequence that nobody asked for"


def inherit_orphans() -> None:
    """Have what is left behind become ours: on Linux it cannot be missed then, whatever it has done to hide."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def leftovers(place: Place) -> Iterator[str]:
    """What is left of a run: processes, once they have had their time to go, and files."""
    deadline = time.monotonic() + GONE_SECONDS
    while (left := _running()) and time.monotonic() < deadline:
        psutil.wait_procs(left, timeout=max(0.0, deadline - time.monotonic()))
    for one in left:
        with contextlib.suppress(psutil.Error):
            yield f"a process: {one.pid} {' '.join(one.cmdline())[:200]}"
            one.kill()
    _running()
    yield from (f"a file: {path.name}" for path in (place.root / "tmp").iterdir())


def _running() -> list[psutil.Process]:
    """Our children and theirs; those that have ended are buried."""
    found = []
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
            elif one.ppid() == os.getpid():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(one.pid, os.WNOHANG)
    return found


def run(place: Place, command: list[str], patience: float) -> Ended:
    """Run a command there, to its end."""
    began, pipe = time.monotonic(), subprocess.PIPE
    with subprocess.Popen(command, env=place.environment, stdout=pipe, stderr=subprocess.STDOUT, cwd=place.root) as one:
        try:
            said, _ = one.communicate(timeout=patience)
            code: int | None = one.returncode
        except subprocess.TimeoutExpired:
            one.kill()
            said, _ = one.communicate()
            code = None
    return Ended(code, said.decode(errors="replace"), time.monotonic() - began)
