"""An observation: one fact, as one source saw it, and as a stored timeline has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard, Union

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "Mapping[str, Json]", None]

LONGEST_MS = 1e15
"""No run takes thirty thousand years; and NaN is no time."""


class TimelineError(ValueError):
    """A stored timeline cannot be read. The message is one line, fit to be shown."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact, as one source saw it.

    Attributes:
        at: milliseconds since the run began, by the clock of whoever saw it, moved to the lab's.
        source: who saw it: `lab`, `server`, or the name of a client.
        what: a past participle: `connected`, `injected`, `closed`, ...
        who: the connection it is about (`alice`, `alice#2`), the faulted actor, or "".
        detail: what else there is to know.
    """

    at: float
    source: str
    what: str
    who: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)

    def number(self, key: str) -> float | None:
        """The detail `key` if it is a number, else None."""
        value = self.detail.get(key)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def code(self, key: str = "code") -> int | None:
        """The close code under `key`, or None where there was none."""
        value = self.detail.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def text(self, key: str) -> str:
        """The detail `key` as text; "" where it is missing."""
        value = self.detail.get(key)
        return "" if value is None else str(value)


def object_of(line: str, number: int) -> Mapping[str, Json]:
    """A line of a stored timeline.

    Raises:
        TimelineError: it is no JSON object.
    """
    try:
        entry: Json = json.loads(line)
    except (ValueError, RecursionError):  # it may be nested more deeply than anything can be read
        raise TimelineError(f"line {number} is not JSON") from None
    if not isinstance(entry, Mapping):
        raise TimelineError(f"line {number} is not a JSON object")
    return entry


def observation_of(entry: Mapping[str, Json], number: int) -> Observation:
    """The observation that a line holds.

    Raises:
        TimelineError: it holds none.
    """
    at, detail = entry.get("at"), entry.get("detail")
    source, what, who = entry.get("source"), entry.get("what"), entry.get("who")
    if not (_is_a_time(at) and isinstance(detail, Mapping)):
        raise TimelineError(f"line {number} is not an observation")
    if not (isinstance(source, str) and isinstance(what, str) and isinstance(who, str)):
        raise TimelineError(f"line {number} is not an observation")
    return Observation(float(at), source, what, who, detail)


def _is_a_time(value: Json) -> TypeGuard[int | float]:
    """Whether it is a number of milliseconds, of which a float can be made."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LONGEST_MS
