"""Waits until a link has been silent for long enough, where somebody else sees its bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from lab.backends.faultlink import LinkError
from lab.clock import now

LastByte = Callable[[], float | None]
"""When a byte last crossed an open connection, on the lab's clock; None while none is open."""


class Idling(threading.Thread):
    """A thread that sleeps as long as it must be silent yet, looks, and forgets once.

    Args:
        seconds: the silence after which to forget.
        last_byte: when a byte last crossed.
        forget: what to do then.
    """

    def __init__(self, seconds: float, last_byte: LastByte, forget: Callable[[], None]) -> None:
        super().__init__(name="idling", daemon=True)
        self._seconds, self._last_byte, self._forget = seconds, last_byte, forget
        self._over = threading.Event()
        self._began = now()

    def run(self) -> None:
        """Watch until it was silent for long enough, or nobody wants to know any more."""
        rest = self._seconds
        while not self._over.wait(rest):
            rest = self._rest()
            if rest <= 0:
                with suppress(LinkError):  # what was not done goes on no record, and is no fault
                    self._forget()
                return

    def end(self) -> None:
        """Watch no more; on return nothing more will be forgotten."""
        self._over.set()
        self.join()

    def _rest(self) -> float:
        """How much longer it must be silent."""
        last = self._last_byte()
        return self._seconds if last is None else max(last, self._began) + self._seconds - now()
