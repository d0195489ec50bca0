"""A real Toxiproxy process for the tests: found, started, proved to be ours, stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from lab.backends.toxiproxy import Toxiproxy
from tests.conftest import require
from tests.link_rig import HOST, free_port

BUILT = Path(__file__).resolve().parent.parent / ".lab" / "bin" / "toxiproxy-server"
START_SECONDS = 10.0
STOP_SECONDS = 5.0


def find() -> str | None:
    """The binary: LAB_TOXIPROXY, else `toxiproxy-server` on PATH, else the one in .lab/bin."""
    return os.environ.get("LAB_TOXIPROXY") or shutil.which("toxiproxy-server") or shutil.which(BUILT)


def binary() -> str:
    """As found; the test is skipped without one, or fails if LAB_REQUIRE names "toxiproxy"."""
    found = find()
    if found is None:
        require("toxiproxy", "there is no toxiproxy-server: not in LAB_TOXIPROXY, not on PATH, not in .lab/bin")
    return found


@contextmanager
def running() -> Iterator[int]:
    """A Toxiproxy of our own on the loopback interface; the port of its API."""
    port = free_port()
    argv = [binary(), "-host", HOST, "-port", str(port)]
    quiet = {**os.environ, "LOG_LEVEL": "error"}
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=quiet) as process:
        try:
            with Toxiproxy(HOST, port, bind=HOST) as toxiproxy:
                toxiproxy.wait(START_SECONDS)
            _require_ownership(process, port)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _require_ownership(process: subprocess.Popen[bytes], port: int) -> None:
    """A second Toxiproxy on a busy port logs an error and stays alive, and the first one answers for it."""
    listening = [held.laddr.port for held in psutil.Process(process.pid).net_connections() if held.status == "LISTEN"]
    if port not in listening:
        raise RuntimeError(f"the Toxiproxy that answers on port {port} is not the one we started")
