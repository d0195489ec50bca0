"""Being told to stop: every way of it unwinds the stack, and the unwinding itself is not cut short."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. No `except Exception` may swallow it."""


@contextmanager
def unwinding() -> Iterator[None]:
    """Inside, the first such signal raises Interrupted, and later ones do nothing until we are out.

    Whoever presses Ctrl-C again must not cut short the taking down of what was started. It takes a flag and not only
    an ignored signal: two that arrive together are both delivered, the second in the middle of the unwinding.
    """
    told = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if not told:
            told = True
            raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
