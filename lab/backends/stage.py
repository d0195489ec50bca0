"""The stage: a backend that is up, as the runner and the nemesis see it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from lab.backends.actors import Actor
from lab.clock import Bracket
from lab.faults import Fault
from lab.timeline import Json, Observation, Timeline

Mend = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Cast:
    """What a scenario needs of a stage.

    Attributes:
        clients: the actors that connect.
        armed: those whose link must be able to reset, which has to be known before they connect.
    """

    clients: tuple[str, ...]
    armed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that was done.

    Attributes:
        bracket: the readings between which it happened.
        evidence: what the backend itself saw of it, in a word (`stopped`, `paused`, `disconnected`), or "".
        mend: undoes it. Called once; must not fail when what it mends is gone.
    """

    bracket: Bracket
    evidence: str
    mend: Mend


def forgetting(timeline: Timeline, fault: Fault) -> Callable[[Bracket], None]:
    """What a link is to call when it has forgotten a client's connections: it goes on record."""

    def forgotten(bracket: Bracket) -> None:
        detail: dict[str, Json] = {"fault": fault.name, "until": timeline.elapsed(bracket.after)}
        timeline.record(Observation(timeline.elapsed(bracket.before), "lab", "forgotten", fault.who, detail))

    return forgotten


class Stage(Protocol):
    """A backend that is up."""

    def actor(self, name: str) -> Actor:
        """The actor of that name, as it is now.

        Raises:
            StageError: there is none.
        """

    def url(self, client: str) -> str:
        """Where that client dials; `{user}` stands for the user's name."""

    def inject(self, fault: Fault) -> Injected:
        """Do it, now.

        Raises:
            StageError: this backend cannot, or the engine said no.
        """

    def look(self) -> None:
        """Put on the timeline what has ended of the stage itself, though nobody asked for it."""


class Backend(Protocol):
    """A way to set stages.

    Attributes:
        name: `embedded` or `docker`.
        side_by_side: whether several stages may be set at once.
    """

    name: str
    side_by_side: bool

    def open(self) -> None:
        """Get ready for stages.

        Raises:
            StageError: it cannot.
        """

    def stage(self, cast: Cast, timeline: Timeline) -> AbstractContextManager[Stage]:
        """Set a stage on which every actor is ready; strike it on the way out, however that happens.

        Raises:
            StageError: it cannot be set.
        """

    def close(self) -> None:
        """Leave nothing behind."""
