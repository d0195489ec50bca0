"""The reaper of the lab itself: removes what a run that was killed could not."""

from __future__ import annotations

import time

import psutil

import docker
from lab.backends import engine
from lab.backends.compose import RUNNER, SESSION, UNTIL, lives
from lab.backends.containers import call
from lab.backends.removal import PROJECT, remove

FORKSERVER = "lab.backends.forkserver"


def sweep() -> int:
    """Sweep processes, and containers where an engine answers. Returns how many things were removed."""
    count = sweep_processes()
    found = engine.find()
    if isinstance(found, engine.Engine):
        client = docker.DockerClient(base_url=found.host, timeout=30)
        try:
            count += sweep_containers(client)
        finally:
            client.close()
    return count


def sweep_containers(client: docker.DockerClient, keep: str = "") -> int:
    """Remove every lab whose runner is dead or whose lease has run out, but not the one called `keep`."""
    found = [one.labels for one in call(lambda: client.containers.list(all=True, filters={"label": SESSION}))]
    # A network comes before the first container: whoever was killed in between left only that.
    found += [one.attrs["Labels"] for one in call(lambda: client.networks.list(filters={"label": SESSION}))]
    orphaned = {labels[PROJECT] for labels in found if PROJECT in labels and _orphaned(labels)}
    return sum(remove(client, project).total for project in orphaned - {keep})


def sweep_processes() -> int:
    """Kill fork servers whose lab is gone. They end by themselves when it goes; this is for one that was paused."""
    orphans = [process for process in psutil.process_iter(["cmdline", "ppid"]) if _is_orphan(process)]
    for process in orphans:
        process.kill()
    psutil.wait_procs(orphans, timeout=5)
    return len(orphans)


def _orphaned(labels: dict[str, str]) -> bool:
    runner, until = labels.get(RUNNER, ""), labels.get(UNTIL, "")
    return bool(runner and not lives(runner)) or bool(until.isdigit() and int(until) < time.time())


def _is_orphan(process: psutil.Process) -> bool:
    return FORKSERVER in (process.info["cmdline"] or ()) and process.info["ppid"] == 1
