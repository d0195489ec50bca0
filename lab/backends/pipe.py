"""The order channel of an actor that is a process of this machine."""

from __future__ import annotations

import os


class Pipe:
    """The order channel of a process: its standard input."""

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd

    def send(self, data: bytes) -> None:
        """Write it all."""
        while data:
            if self._fd is None:
                raise BrokenPipeError
            data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Close it: the actor reads the end of its orders, and leaves."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)
