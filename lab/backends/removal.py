"""Removes everything of one project from an engine: containers, then the networks that they leave, and volumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from docker.errors import APIError, NotFound
from docker.models.networks import Network

import docker
from lab.backends.actors import StageError
from lab.backends.containers import call

PROJECT = "com.docker.compose.project"
LET_GO_SECONDS = 20
"""How long the engine may take to let go of the last container of a network."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Removed:
    """How many of each were removed."""

    containers: int = 0
    networks: int = 0
    volumes: int = 0

    def __add__(self, other: Removed) -> Removed:
        """The sum, kind by kind."""
        return Removed(self.containers + other.containers, self.networks + other.networks, self.volumes + other.volumes)

    @property
    def total(self) -> int:
        """All together."""
        return self.containers + self.networks + self.volumes


def remove(client: docker.DockerClient, project: str) -> Removed:
    """Remove the containers, networks and volumes of a project, paused and half-made ones too."""
    mine: dict[str, str | list[str] | bool] = {"label": f"{PROJECT}={project}"}
    containers = call(lambda: client.containers.list(all=True, ignore_removed=True, filters=mine))
    gone = _remove_all(containers, lambda one: one.remove(force=True, v=True))
    networks = _remove_all(call(lambda: client.networks.list(filters=mine)), partial(_remove_network, client))
    volumes = _remove_all(call(lambda: client.volumes.list(filters=mine)), lambda one: one.remove(force=True))
    return Removed(gone, networks, volumes)


def _remove_all(things: Iterable[T], act: Callable[[T], object]) -> int:
    """Remove all at once; the engine takes a tenth of a second for each."""

    def gone(thing: T) -> bool:
        try:
            act(thing)
        except NotFound:
            return False
        except APIError as error:
            if error.status_code == HTTPStatus.CONFLICT:  # somebody else is removing it
                return False
            raise StageError(f"the engine could not remove {thing}: {error.explanation}") from None
        return True

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(gone, things))


def _remove_network(client: docker.DockerClient, network: Network) -> None:
    """Remove it; if a container is still on its way out, as soon as that has left.

    Raises:
        APIError: something stays in it, or the engine refuses for another reason.
    """
    began = int(time.time())
    try:
        network.remove()
    except APIError as error:
        if error.status_code != HTTPStatus.FORBIDDEN:
            raise
    else:
        return
    leaving = {"network": network.id, "event": "disconnect"}
    for _ in client.api.events(since=began, until=began + LET_GO_SECONDS, filters=leaving, decode=True):
        with suppress(APIError):
            network.remove()
            return
    network.remove()
