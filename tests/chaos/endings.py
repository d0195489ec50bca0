"""Runs that are ended at a random moment, in nine ways."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil

from lab.backends.engine import Engine
from tests.chaos.watching import Ended, leftovers, run
from tests.leftovers import things
from tests.place import Place

SCENARIOS = ("kill", "pause", "crowd", "cut")
LONGEST = {"embedded": 1.0, "docker": 5.0}
"""Within so many seconds of its start a run is ended: before it has begun to play, while it plays, or afterwards."""

STARTING = 0.1
"""Seconds in which Python starts, and a signal ends it as it ends any program."""

PATIENCE = 60.0

WAYS: dict[str, tuple[signal.Signals, ...]] = {
    "Ctrl-C": (signal.SIGINT,),
    "Ctrl-C twice": (signal.SIGINT, signal.SIGINT),
    "SIGTERM": (signal.SIGTERM,),
    "ten SIGTERMs": (signal.SIGTERM,) * 10,
    "SIGHUP": (signal.SIGHUP,),
    "SIGQUIT": (signal.SIGQUIT,),
    "SIGKILL": (signal.SIGKILL,),
    "its fork server killed": (),
    "its terminal closed": (),
}


def play(place: Place, rng: random.Random, times: int, engine: Engine | None) -> Iterator[tuple[str, list[str]]]:
    """So many runs of each way: each run, and what was wrong."""
    backend = "docker" if engine else "embedded"
    ways = list(WAYS) * times
    rng.shuffle(ways)
    for way in ways:
        scenario, moment = rng.choice(SCENARIOS), rng.uniform(0.0, LONGEST[backend])
        name = f"endings: {scenario}, {backend}, {way} after {moment:.2f} s"
        ended = end(place, way, moment, ["run", scenario, "--backend", backend])
        deaf = {-number for number in WAYS[way] if moment < STARTING or number == signal.SIGKILL}
        codes = frozenset({0, 2} | deaf)
        if way == "SIGKILL":  # nobody could clean up: the next command does
            run(place, [sys.executable, "-m", "lab", "sweep"], PATIENCE)
        left = things(engine, place.project) if engine else []
        yield (
            f"{name} ({ended.code})",
            [*ended.faults(codes), *leftovers(place), *(f"in the engine: {n}" for n in left)],
        )


def end(place: Place, way: str, moment: float, args: list[str]) -> Ended:
    """Start a run there, and end it so."""
    command = [sys.executable, "-m", "lab", *args]
    if way == "its terminal closed":
        return _hung_up(place, moment, command)
    began, pipe = time.monotonic(), subprocess.PIPE
    with subprocess.Popen(
        command, env=own_scenarios(place), stdout=pipe, stderr=subprocess.STDOUT, cwd=place.root
    ) as one:
        with suppress(subprocess.TimeoutExpired):
            one.wait(moment)
        if way == "its fork server killed":
            _kill_fork_server(one.pid)
        for number in WAYS[way]:
            one.send_signal(number)
        return _ended(one, began)


def own_scenarios(place: Place) -> dict[str, str]:
    """The environment there, with the scenarios that the lab comes with."""
    return {name: value for name, value in place.environment.items() if name != "LAB_SCENARIOS"}


def _hung_up(place: Place, moment: float, command: list[str]) -> Ended:
    """On a terminal of its own, which is then closed."""
    ours, theirs = os.openpty()
    began = time.monotonic()
    with subprocess.Popen(
        command,
        env=own_scenarios(place),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=place.root,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # there is no other thread here
    ) as one:
        os.close(theirs)
        with suppress(subprocess.TimeoutExpired):
            one.wait(moment)
        os.close(ours)
        return _ended(one, began)


def _kill_fork_server(pid: int) -> None:
    """If it has one by now."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children():
            with contextlib.suppress(psutil.Error):
                if "lab.backends.forkserver" in child.cmdline():
                    child.kill()


def _ended(one: subprocess.Popen[bytes], began: float) -> Ended:
    try:
        said, _ = one.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        one.kill()
        return Ended(None, "", time.monotonic() - began)
    return Ended(one.returncode, (said or b"").decode(errors="replace"), time.monotonic() - began)
