"""What one case of a check has found out that the others need not find out again."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.phases import Key


@dataclass(slots=True)
class Known:
    """What the cases of one check have found out of sizes, so that each need not find it out again.

    Attributes:
        unbounded: sizes that a crowd has shown to have no bound.
        bounded: sizes that one has shown to have one.
        lasting: sizes that an hour has shown not to go away.
    """

    unbounded: set[Key] = field(default_factory=set)
    bounded: set[Key] = field(default_factory=set)
    lasting: set[Key] = field(default_factory=set)
