"""Containers that vanish while they are played on, and an engine that does."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from docker.errors import APIError

from lab.backends.engine import Engine
from tests.chaos.watching import Ended, leftovers, run
from tests.leftovers import client_of, states, things, until
from tests.middleman import Middleman
from tests.place import HANGS, Place

FAULTS = ("removed", "killed", "stopped", "the engine gone")
RESTS = 3
"""Seconds that the scenario rests: within them it happens."""

PATIENCE = 90.0


def play(place: Place, rng: random.Random, times: int, engine: Engine) -> Iterator[tuple[str, list[str]]]:
    """So many runs of each fault: each run, and what was wrong."""
    (place.root / "scenarios" / "rest.py").write_text(HANGS.replace("600", str(RESTS)))
    faults = list(FAULTS) * times
    rng.shuffle(faults)
    for number, fault in enumerate(faults):
        ended, whom = suffer(place, rng, fault, engine, number)
        if fault == "the engine gone":
            run(place, [sys.executable, "-m", "lab", "sweep"], PATIENCE)
        left = [f"in the engine: {one}" for one in things(engine, place.project)]
        yield f"engine: {whom} {fault} ({ended.code})", [*ended.faults(frozenset({0, 2})), *leftovers(place), *left]


def suffer(place: Place, rng: random.Random, fault: str, engine: Engine, number: int) -> tuple[Ended, str]:
    """Play a scenario, and do it to one of its containers once all of them are there."""
    socket = place.root / f"engine-{number}.sock"
    between = Middleman(socket, engine.host.removeprefix("unix://"))
    env = place.environment | {"DOCKER_HOST": f"unix://{socket}"}
    command = [sys.executable, "-m", "lab", "run", "rest", "--backend", "docker"]
    began, whom = time.monotonic(), ""
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=place.root) as one:
        until(lambda: "paused" in states(engine, place.project).values() or one.poll() is not None, "it plays")
        time.sleep(rng.uniform(0.0, RESTS / 2))  # the moment is the point: any, while the scenario rests
        if fault == "the engine gone":
            between.drop()
        else:
            whom = rng.choice(sorted(states(engine, place.project)) or [""])
            _do(engine, whom, fault)
        try:
            said, _ = one.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            one.kill()
            return Ended(None, "", time.monotonic() - began), whom
    if between.listening.fileno() >= 0:
        between.drop()
    socket.unlink()
    return Ended(one.returncode, said.decode(errors="replace"), time.monotonic() - began), whom


def _do(engine: Engine, whom: str, fault: str) -> None:
    with client_of(engine) as client, suppress(APIError):
        container = client.containers.get(whom)
        if fault == "removed":
            container.remove(force=True)
        elif fault == "killed":
            container.kill()
        else:
            container.stop(timeout=0)
