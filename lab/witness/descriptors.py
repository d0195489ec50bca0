"""What of this process the kernel knows: open descriptors by what they are, and child processes."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDERS = ("/proc/self/fd", "/dev/fd")
"""Where a system lists them: Linux; macOS."""


def descriptors(port: int) -> Counter[str]:
    """How many descriptors are open, by what they are.

    Args:
        port: where the server listens for WebSockets: a socket of that port was accepted.
    """
    found: Counter[str] = Counter()
    connected: list[tuple[int, tuple[str, int] | None]] = []
    listening = {port}
    folder = next((one for one in FOLDERS if os.path.isdir(one)), "")  # noqa: PTH112  # asked at every survey
    for name in os.listdir(folder) if folder else ():  # noqa: PTH208  # a Path for each would cost as much again
        with suppress(OSError):  # the folder's own descriptor is closed again
            what = _what(int(name), f"{folder}/{name}")
            if what != "socket":
                found[what] += 1
                continue
            with socket.socket(fileno=os.dup(int(name))) as one:
                _sort(one, found, listening, connected)
    for here, there in connected:
        found[_flow(here, there, port, listening)] += 1
    return found


def _what(fd: int, path: str) -> str:
    mode = os.fstat(fd).st_mode
    if stat.S_ISSOCK(mode):
        return "socket"
    if stat.S_ISFIFO(mode):
        return "pipe"
    if stat.S_ISREG(mode):
        return "file"
    target = str(Path(path).readlink()) if path.startswith("/proc/") else ""
    return re.sub(r"\d+", "*", target) if target.startswith(("/dev/", "anon_inode:")) else "other"


def _sort(
    one: socket.socket,
    found: Counter[str],
    listening: set[int],
    connected: list[tuple[int, tuple[str, int] | None]],
) -> None:
    """A socket that listens or is not of the internet is counted; of the others, both ends are noted."""
    if one.family not in (socket.AF_INET, socket.AF_INET6):
        found["local socket"] += 1
    elif one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        found["listening socket"] += 1
        listening.add(one.getsockname()[1])
    else:
        try:
            there = one.getpeername()[:2]
        except OSError:
            there = None
        connected.append((one.getsockname()[1], there))


def _flow(here: int, there: tuple[str, int] | None, port: int, listening: set[int]) -> str:
    if here == port:
        return "accepted socket"
    if here in listening:
        return f"socket accepted on port {here}"
    return f"outgoing socket to {there[0]}:{there[1]}" if there else "unconnected socket"


def children() -> Counter[str]:
    """The child processes, by name; those that have ended and were not waited for, too. Empty where nobody says."""
    found: Counter[str] = Counter()
    for pid in _pids():
        with suppress(OSError):
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            name, _, rest = text.partition("(")[2].rpartition(")")
            found[f"{name} (ended, not waited for)" if rest.split()[0] == "Z" else name] += 1
    return found


def _pids() -> Iterator[str]:
    for tasks in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            yield from tasks.read_text(encoding="ascii").split()
