"""Being told to stop: every way of it unwinds the stack, and the unwinding itself is not cut short."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. No `except Exception` may swallow it."""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: whoever presses Ctrl-C again must not cut short the taking down of what was started.
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted


@contextmanager
def unwinding() -> Iterator[None]:
    """Inside, the first such signal raises Interrupted, and later ones are ignored until we are out."""
    before = {number: signal.signal(number, _interrupt) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
