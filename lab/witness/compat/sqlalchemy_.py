"""SQLAlchemy: how many connections a pool has lent out."""

from __future__ import annotations

import sys
from operator import attrgetter, methodcaller
from typing import Any

READ_FROM = {"sqlalchemy": ("2.1",)}

MODULE, POOL, COUNTING = "sqlalchemy.pool", attrgetter("Pool"), attrgetter("QueuePool")
LENT: Any = methodcaller("checkedout")


def is_pool(thing: object) -> bool:
    """Whether it is a pool; an asynchronous engine's is one of these, too."""
    module = sys.modules.get(MODULE)
    return module is not None and isinstance(thing, POOL(module))


def lent(pool: object) -> int | None:
    """How many of its connections are out; None if it does not count them: a NullPool, a StaticPool."""
    module = sys.modules.get(MODULE)
    if module is None or not isinstance(pool, COUNTING(module)):
        return None
    return int(LENT(pool))
