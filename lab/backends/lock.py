"""One command at a time on a lab that is up: two nemeses on one stage would attest each other's faults."""

from __future__ import annotations

import os
from typing import IO

from lab.backends.actors import StageError
from lab.paths import home

try:
    import fcntl
except ImportError:  # Windows, where the docker backend needs WSL anyway
    fcntl = None  # type: ignore[assignment]  # its absence is the fact


class Lock:
    """A lock that the system lets go of when its holder dies, however it dies."""

    def __init__(self, project: str) -> None:
        self.path = home() / f"{project}.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take it.

        Raises:
            StageError: another command has it.
        """
        if fcntl is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise StageError(
                f"this lab is busy: process {holder} plays on it; wait, or use another LAB_PROJECT"
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()
            self._file = None
