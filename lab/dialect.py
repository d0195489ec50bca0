"""How a server speaks: as the reference does, or otherwise. Learned before the first scenario is played on it.

Scenarios are written in the reference's dialect: JSON objects with a `type`, a heartbeat task and a row for each
connection. What a server of one's own never had, or never answered, is no evidence against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.timeline import Json, Observation, Timeline

LEARNED = "understood"
"""The lab's observation of how the server speaks; a timeline has none where it speaks as the reference does."""

KINDS = ("connection", "handler", "task", "row")
"""What the reference sets up for a connection."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What can be asked of a server.

    Attributes:
        kinds: what it sets up for each connection.
        echoes: whether it answers the reference's echo.
        broadcasts: whether it relays the reference's broadcast.
    """

    kinds: frozenset[str] = frozenset(KINDS)
    echoes: bool = True
    broadcasts: bool = True

    @property
    def foreign(self) -> bool:
        """Whether it is another than the reference's."""
        return self != Dialect()

    def observe(self, at: float) -> Observation:
        """The observation that says so."""
        detail: dict[str, Json] = {"kinds": [*sorted(self.kinds)], "echoes": self.echoes, "broadcasts": self.broadcasts}
        return Observation(at, "lab", LEARNED, "", detail)

    @classmethod
    def of(cls, timeline: Timeline) -> Dialect:
        """What a timeline says of it."""
        seen = timeline.first(LEARNED)
        if seen is None:
            return cls()
        kinds = seen.detail.get("kinds")
        known = frozenset(map(str, kinds)) if isinstance(kinds, list) else frozenset()
        return cls(known, *(seen.detail.get(key) is True for key in ("echoes", "broadcasts")))
