"""One clock: every time in the lab is a reading of this machine's monotonic clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

now = time.monotonic
"""Seconds on the lab's clock. Only differences mean anything."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """The two readings between which something happened: not before, not after.

    Attributes:
        before: seconds on the lab's clock, read just before the call that did it.
        after: seconds, read as soon as it was known to be done.
    """

    before: float
    after: float
