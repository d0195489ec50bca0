"""The lab with Docker, against testcontainers, and against Compose by hand.

testcontainers is no dependency: BENCH_PYTHON names a Python that has it and pytest. Without, its calls are made through
the Docker SDK.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import lab, timed
from benchmarks.figures import ROOT, Figure, say
from benchmarks.playing import KillTimes, kills, played_all
from lab.backends import engine
from lab.backends.docker import Docker
from lab.servers import REFERENCE

PROJECT = f"hangup-bench-{os.getpid()}"
TEST = Path(__file__).parent / "handwritten" / "kill.py"
TESTCONTAINERS, COMPOSE = "testcontainers", "compose"


def figures(rounds: int) -> Iterator[Figure]:
    """Nothing where no engine answers."""
    found = engine.find()
    if not isinstance(found, engine.Engine):
        say(f"no engine, no figures: {found}")
        return
    os.environ["LAB_PROJECT"] = PROJECT
    lab("up", LAB_PROJECT=PROJECT)  # the image is there from now on
    lab("down", LAB_PROJECT=PROJECT)
    yield from _nothing_up(rounds)
    yield from _up(found, rounds)


def _nothing_up(rounds: int) -> Iterator[Figure]:
    by_hand, ours = [], []
    for _ in range(rounds):
        by_hand.append(_compose())
        ours.append(lab("run", "kill", "--backend", "docker").wall)
    yield Figure(COMPOSE, "by hand: docker compose up -d, kill, down -t 0", "s", tuple(by_hand))
    yield Figure(
        "docker_run_kill", "lab run kill --backend docker, nothing up, images present", "s", tuple(ours), COMPOSE, 1.3
    )


def _up(found: engine.Engine, rounds: int) -> Iterator[Figure]:
    up = lab("up").wall
    try:
        command = tuple(lab("run", "kill", "--backend", "docker").wall for _ in range(rounds))
        by_hand: list[float] = []
        ours: list[KillTimes] = []
        backend = Docker(found, REFERENCE, "rfc6455")
        backend.open()
        try:
            list(kills(backend, 1))  # the clocks are measured only once
            for _ in range(rounds):  # in turn, as whatever else the machine does is then the same for both
                by_hand += _testcontainers(4)
                ours += kills(backend, 4)
            every = played_all(backend)
        finally:
            backend.close()
    finally:
        lab("down")
    how = "testcontainers" if _has_testcontainers() else "the same calls as testcontainers', by the SDK"
    yield Figure(TESTCONTAINERS, f"by hand, containers up: kill and restart ({how})", "s", tuple(by_hand))
    wall = tuple(one.seconds for one in ours)
    yield Figure("docker_kill", "Docker, lab up: one kill, client restored", "s", wall, TESTCONTAINERS, 0.4)
    yield Figure("docker_noticed", "Docker: fault to noticed", "ms", tuple(one.noticed_ms for one in ours))
    yield Figure("docker_surveys", "Docker: surveys of the server in a kill", "", tuple(one.surveys for one in ours))
    yield Figure("docker_up_run_kill", "lab run kill on a lab that is up, whole command", "s", command)
    yield Figure("docker_all", "Docker, lab up: all scenarios", "s", (every,))
    yield Figure("lab_up", "lab up, images present", "s", (up,))


def _compose() -> float:
    """Seconds for what one would type."""
    compose = ["docker", "compose", "--project-directory", str(ROOT), "-p", f"{PROJECT}-hand"]
    steps = (["up", "-d"], ["kill", "alice"], ["down", "-t", "0", "-v"])
    return sum(timed([*compose, *step]).wall for step in steps)


def _testcontainers(times: int) -> list[float]:
    """Seconds of each kill in the test by hand."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "took.json"
        env = os.environ | {
            "BENCH_TIMES": str(times),
            "BENCH_OUT": str(out),
            "TESTCONTAINERS_RYUK_DISABLED": "true",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        command = [_python(), "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", str(TEST)]
        subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
        return [float(one) for one in json.loads(out.read_text())]


def _python() -> str:
    return os.environ.get("BENCH_PYTHON") or sys.executable


def _has_testcontainers() -> bool:
    ask = [_python(), "-c", "import testcontainers.core.container"]
    return subprocess.run(ask, stderr=subprocess.DEVNULL, check=False).returncode == 0
