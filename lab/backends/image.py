"""The image of the actors: whether it is made of what is in this clone now. To build it again takes half a second."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from docker.errors import ImageNotFound

import docker
from lab.backends.containers import call
from lab.paths import ROOT

LABEL = "hangup.context"
"""What the image was made of."""


def is_current(client: docker.DockerClient) -> bool:
    """Whether an image of that name was made of the same files."""
    name = os.environ.get("LAB_IMAGE") or "hangup-lab"
    try:
        image = client.images.get(name)
    except ImageNotFound:
        return False
    return bool(call(lambda: image.labels).get(LABEL) == context())


def context(root: Path = ROOT) -> str:
    """A digest of every file that the Dockerfile copies, and of itself."""
    digest = hashlib.sha256()
    for path in _files(root):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    yield root / "Dockerfile"
    yield root / "requirements" / "actors.lock"
    yield from sorted(path for path in (root / "lab").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
