"""Where the lab keeps things: nothing outside the clone."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = 20
"""How many runs' timelines are kept."""


def home() -> Path:
    """LAB_HOME, else `.lab` in the clone."""
    return Path(os.environ.get("LAB_HOME") or ROOT / ".lab")


def new_run() -> Path:
    """A new folder for this run's timelines; the oldest ones beyond KEPT are removed.

    Raises:
        OSError: it cannot be made.
    """
    runs = home() / "runs"
    folder = runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(runs.iterdir())[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder
