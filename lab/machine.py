"""What the lab asks of the machine: enough descriptors, a terminal that shows what is said, a clean environment."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

DESCRIPTORS = 8192
"""A check has a few hundred open, two hundred clients in a scenario 600. A Mac's default is 256."""

PREFIX = "LAB_"
"""Settings of the lab's own: actors get those that the lab gives them, and never those of whoever started it."""

PLAIN = {
    "✔": "+",
    "✘": "x",
    "✂": "%",
    "↻": "~",
    "–": "-",
    "—": "-",
    "·": "-",
    "…": "...",
    "→": "->",
    "×": "x",
    "“": '"',
    "”": '"',
    "’": "'",
}
"""What a terminal is shown that has no such sign."""


NEEDED = 1024
"""A check whose cases play their crowds at once has 700 open in the lab's own process (measured)."""


def descriptor_limit() -> int:
    """How many files may be open at once."""
    if sys.platform == "win32":
        return DESCRIPTORS
    import resource  # there is none on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files, as far as the hard one allows."""
    if sys.platform == "win32":
        return
    import resource  # there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS has a limit of its own below the hard one
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def make_streams_printable() -> None:
    """Have standard output and error show a plain sign for what their encoding lacks, instead of raising."""
    codecs.register_error("hangup-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="hangup-plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment for another, without the lab's own settings, and with what is given."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return mine | dict(more or {})


def pid_namespace() -> int:
    """The number of the namespace in which this process's id means something; 0 where there are none."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0
