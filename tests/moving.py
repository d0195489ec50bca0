"""A process of its own for whatever moves the clock, which is the whole process's."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from lab.actors import voice
from lab.witness.clock import REAL_SLEEP, Clock
from lab.witness.mover import Moved, Mover
from lab.witness.threads import Threads
from lab.witness.wire import Wires

PATIENCE = 45.0


def in_a_process_of_its_own(probe: Callable[[Clock], object]) -> Any:
    """What a function returns there, given a clock that is installed."""
    code = f"from tests.moving import serve; serve({probe.__module__!r}, {probe.__name__!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def serve(module: str, name: str) -> None:
    """The other side: it prints, last, what the function returns."""
    clock = Clock()
    probe = getattr(importlib.import_module(module), name)
    clock.install()
    voice._fd = os.open(os.devnull, os.O_WRONLY)
    print(json.dumps(probe(clock)), flush=True)  # noqa: T201  # that is how it answers


async def tick() -> None:
    """As a server's own main loop: it looks ten times a second."""
    while True:  # noqa: ASYNC110  # as uvicorn's
        await asyncio.sleep(0.1)


def new_mover(clock: Clock) -> Mover:
    """A mover of that clock, with wires and threads of its own."""
    threads = Threads()
    threads.watch()
    return Mover(clock, Wires(voice.Notes().note), threads)


async def move(mover: Mover, seconds: float, *gone: str) -> Moved:
    """Move it on, and wait for that."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Moved] = loop.create_future()
    mover.move(loop, seconds, frozenset(gone), done.set_result)
    return await done


def once(fact: Callable[[], object]) -> None:
    """Return when it is so; what holds a thread up is not its own doing."""
    while not fact():
        REAL_SLEEP(0.001)
