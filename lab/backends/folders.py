"""The folder of a run's files: its name says whose it is, so that it can be swept if nobody is left to remove it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab.machine import pid_namespace

NAME = re.compile(r"hangup-(?P<space>\d+)-(?P<pid>\d+)-\w+")
"""The PID namespace, 0 where there are none, and the process in it."""

LATER_SECONDS = 1.0
"""A process that began so long after its folder was made is another one with the same id."""


def new_folder() -> str:
    """A folder of this process's in the temporary folder."""
    return tempfile.mkdtemp(prefix=f"hangup-{pid_namespace()}-{os.getpid()}-")


def sweep_folders() -> int:
    """Remove the folders of processes that are gone. Returns how many."""
    orphans = list(_orphans())
    for folder in orphans:
        shutil.rmtree(folder, ignore_errors=True)
    return len(orphans)


def _orphans() -> Iterator[Path]:
    import psutil  # imported only here: making a folder does not need it

    for folder in Path(tempfile.gettempdir()).glob("hangup-*"):
        named = NAME.fullmatch(folder.name)
        if named is None or int(named["space"]) != pid_namespace():
            continue  # somebody else's: whether they live cannot be told from here
        try:
            made = folder.lstat().st_ctime
            if psutil.Process(int(named["pid"])).create_time() > made + LATER_SECONDS:
                yield folder
        except psutil.NoSuchProcess:
            yield folder
        except (psutil.Error, OSError):
            continue
