"""Starts the fork server's process. It imports for half a second, so it is started before anything else is imported."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise

from lab.backends.folders import new_folder
from lab.machine import environment

END_SECONDS = 5.0


class ForkServer:
    """A fork server, which ends when its control socket closes.

    Attributes:
        control: our end of the socket.
        folder: a folder for the files of its actors. It removes that when it ends.
        taken: whether somebody answers for its end.

    Args:
        reference: whether it imports what the reference server needs, too.
    """

    def __init__(self, *, reference: bool = True) -> None:
        self.control, theirs = socket.socketpair()
        self.folder = new_folder()
        self.taken = False
        # A session of its own: Ctrl-C in the terminal is for the lab, which then takes its actors down in order.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.backends.forkserver", str(theirs.fileno()), self.folder]
            + ["reference"] * reference,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env=environment({"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}),
        )
        theirs.close()

    def end(self, *, ready: bool = False) -> None:
        """Hang up: it kills and buries its actors, removes the folder, and ends.

        Args:
            ready: whether it has said that it has imported everything.
        """
        with suppress(OSError):  # it may be gone already
            self.control.shutdown(socket.SHUT_RDWR)
        if not ready:  # it would finish importing first, and it has nothing to bury
            self._process.kill()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)  # it was killed, by us or by somebody else
        self.control.close()


def can_fork() -> bool:
    """Whether actors are forked here."""
    return hasattr(os, "fork") and hasattr(socket, "send_fds") and os.environ.get("LAB_FORK") != "0"


def is_certain(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a command line needs a fork server, whatever else it says: it checks, or plays and not with Docker."""
    if not can_fork() or "--help" in argv:
        return False
    if argv[:1] != ["run"]:
        return len(argv) > 1 and argv[0] == "check"
    asked = [one.partition("=")[2] for one in argv if one.startswith("--backend=")]
    asked += [after for one, after in pairwise(argv) if one == "--backend"]
    wanted = (asked or [env.get("LAB_BACKEND") or "auto"])[-1]
    return wanted == "embedded" or (wanted == "auto" and shutil.which("docker") is None)
