"""The reaper of the lab itself: removes what a run that was killed could not."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil
from docker.errors import APIError

import docker
from lab.backends import engine
from lab.backends.compose import RUNNER, SESSION, UNTIL
from lab.backends.containers import call
from lab.backends.folders import sweep_folders
from lab.backends.image import LABEL
from lab.backends.lease import Fate, fate
from lab.backends.removal import PROJECT, remove

FORKSERVER = "lab.backends.forkserver"


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of it.

    Attributes:
        count: how many things were removed.
        left: the projects that were left alone: whether their runners live cannot be told from here.
    """

    count: int
    left: tuple[str, ...] = ()


def sweep() -> Swept:
    """Sweep processes and their folders, and containers where an engine answers."""
    count = sweep_processes() + sweep_folders()
    found = engine.find()
    if not isinstance(found, engine.Engine):
        return Swept(count)
    client = docker.DockerClient(base_url=found.host, timeout=30)
    try:
        swept = sweep_containers(client)
        count += sweep_images(client)
    finally:
        client.close()
    return Swept(count + swept.count, swept.left)


def sweep_containers(client: docker.DockerClient, keep: str = "") -> Swept:
    """Remove every lab whose runner is dead or whose lease has run out, but not the one called `keep`."""
    found = [
        one.labels
        for one in call(lambda: client.containers.list(all=True, ignore_removed=True, filters={"label": SESSION}))
    ]
    # A network comes before the first container: whoever was killed in between left only that.
    found += [one.attrs["Labels"] for one in call(lambda: client.networks.list(filters={"label": SESSION}))]
    found += [one.attrs["Labels"] for one in call(lambda: client.volumes.list(filters={"label": SESSION}))]
    labs = {labels[PROJECT]: labels for labels in found if PROJECT in labels and labels[PROJECT] != keep}
    orphaned = [project for project, labels in labs.items() if _orphaned(labels)]
    count = sum(remove(client, project).total for project in orphaned)
    elsewhere = [one for one, labels in labs.items() if one not in orphaned and _fate(labels) is Fate.ELSEWHERE]
    return Swept(count, tuple(sorted(elsewhere)))


def sweep_images(client: docker.DockerClient) -> int:
    """Remove the images of our own builds that a later build took the name from, and that nobody uses."""
    ours: dict[str, str | list[str] | bool] = {"dangling": True, "label": LABEL}
    count = 0
    for image in call(lambda: client.images.list(filters=ours)):
        with suppress(APIError):  # a container of another lab still uses it
            client.images.remove(str(image.id))
            count += 1
    return count


def sweep_processes() -> int:
    """Kill fork servers whose lab is gone. They end by themselves when it goes; this is for one that was paused."""
    orphans = [process for process in psutil.process_iter(["cmdline", "ppid"]) if _is_orphan(process)]
    for process in orphans:
        process.kill()
    psutil.wait_procs(orphans, timeout=5)
    return len(orphans)


def _orphaned(labels: dict[str, str]) -> bool:
    until = labels.get(UNTIL, "")
    return _fate(labels) is Fate.DEAD or bool(until.isdigit() and int(until) < time.time())


def _fate(labels: dict[str, str]) -> Fate:
    """That of a lab's runner; a lab that stays has none, and lives until somebody takes it down."""
    runner = labels.get(RUNNER, "")
    return fate(runner) if runner else Fate.LIVES


def _is_orphan(process: psutil.Process) -> bool:
    return FORKSERVER in (process.info["cmdline"] or ()) and process.info["ppid"] == 1
