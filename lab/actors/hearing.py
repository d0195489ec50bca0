"""How an actor hears: one JSON line an order, on standard input."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any


def orders() -> Iterator[dict[str, Any]]:
    """Every order until the channel closes, which means that whoever ran us is gone.

    It reads the descriptor itself: a thread that waits inside `sys.stdin` would block the interpreter's exit.
    """
    rest = b""
    while chunk := os.read(0, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)
