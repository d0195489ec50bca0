"""Whose a lab is: a process of one machine and one PID namespace. The life of another's cannot be judged here."""

from __future__ import annotations

import platform
from enum import Enum
from pathlib import Path

import psutil

from lab.machine import pid_namespace


class Fate(Enum):
    """What is known of the process that a lease names."""

    LIVES = "lives"
    DEAD = "dead"
    ELSEWHERE = "elsewhere"
    """It is a process of another host, or of another PID namespace: a container on the same engine, for instance."""


def me() -> str:
    """This process, in a way that no other is: the machine, since it was booted, the namespace, pid and start time."""
    process = psutil.Process()
    return f"{_here()}/{process.pid}-{int(process.create_time())}"


def fate(runner: str) -> Fate:
    """What became of the process that me() named."""
    here, _, process = runner.rpartition("/")
    if here != _here():
        return Fate.ELSEWHERE
    pid, _, started = process.partition("-")
    try:
        same = int(psutil.Process(int(pid)).create_time()) == int(started)
    except (psutil.Error, ValueError):
        return Fate.DEAD
    return Fate.LIVES if same else Fate.DEAD


def _here() -> str:
    """Where process ids mean what they mean here."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{pid_namespace()}"
    except OSError:  # not Linux: there nobody shares an engine with another PID namespace of the same host
        return platform.node()
