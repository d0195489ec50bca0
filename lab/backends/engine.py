"""Finding the engine that the docker command line would use, and asking whether it will do."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

SECONDS = 2.0
"""How long an engine may take to answer before there is none."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers, and a docker command line with Compose v2.

    Attributes:
        host: its address, as DOCKER_HOST would have it.
        version: the engine's.
    """

    host: str
    version: str


def find() -> Engine | str:
    """The engine, or one line that says why there is none."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    with ThreadPoolExecutor(1) as beside:
        return _find(beside.submit(_ask, "compose", "version", "--short"))


def _find(compose: Future[str]) -> Engine | str:
    """The same; which Compose there is, is asked meanwhile."""
    host = os.environ.get("DOCKER_HOST") or _ask("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    if not host:
        return "the docker command names no engine (docker context inspect)"
    version = _version(host)
    if not version:
        return f"no engine answers at {host}"
    if not compose.result():
        return "the docker command has no Compose v2 (docker compose version)"
    return Engine(host, version)


def _ask(*args: str) -> str:
    """One question to the docker command line; "" if it has no answer in time."""
    try:
        done = subprocess.run(["docker", *args], capture_output=True, text=True, timeout=SECONDS * 2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(host: str) -> str:
    """The engine's version, asked over its socket; by way of the command line where that is not a plain socket."""
    url = urlsplit(host)
    if url.scheme != "unix":
        return _ask("version", "--format", "{{.Server.Version}}")
    connection = http.client.HTTPConnection("docker", timeout=SECONDS)
    try:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(SECONDS)
        connection.sock.connect(url.path)
        connection.request("GET", "/version")
        return str(json.load(connection.getresponse())["Version"])
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
