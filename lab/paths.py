"""Where the lab keeps things: in the clone; installed without one, where it is called."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = 20
"""How many runs' timelines are kept."""


def home() -> Path:
    """LAB_HOME, else `.lab` in the clone; where there is no clone, in the current folder."""
    where = ROOT if (ROOT / "docker-compose.yml").exists() else Path.cwd()  # nobody looks in site-packages
    return Path(os.environ.get("LAB_HOME") or where / ".lab")


def new_run() -> Path:
    """A new folder for this run's timelines; the oldest ones beyond KEPT are removed.

    Raises:
        OSError: it cannot be made.
    """
    runs = home() / "runs"
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = _new(runs, f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    for old in sorted(runs.iterdir())[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _new(runs: Path, name: str) -> Path:
    """A folder that was not there: one process may play several runs in a second, tests for instance."""
    for number in itertools.count(1):
        folder = runs / (name if number == 1 else f"{name}-{number:03}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("numbers end")


def write_private(path: Path, text: str) -> str:
    """Write a file that nobody else on this machine can read; half a surrogate pair in it is written as an escape.

    A verdict must not be lost because a file cannot be written: then this says why, and nothing of it is kept.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        return error.strerror or str(error)
    return ""
