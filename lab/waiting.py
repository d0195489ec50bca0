"""Waiting for facts: whoever waits is woken by what she looked for in vain, and by nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from lab.clock import now

Wanted: TypeAlias = tuple[str | None, str | None]
"""What somebody looked for: what and whose; None is any."""

ANY: Wanted = (None, None)

ALWAYS = ("exited",)
"""What wakes everybody, whatever she waits for: an actor that is gone will not say it."""


class Waiter:
    """Somebody who waits, and what she looked for in vain."""

    __slots__ = ("gate", "wanted")

    def __init__(self, wanted: set[Wanted]) -> None:
        self.wanted = wanted
        self.gate = threading.Lock()
        self.gate.acquire()

    def wants(self, what: str, who: str) -> bool:
        """Whether such a fact may change the answer."""
        return what in ALWAYS or not self.wanted.isdisjoint(((what, who), (what, None), ANY))


class Waiters:
    """Everybody who waits for facts of one timeline.

    Attributes:
        lock: held while somebody asks, and by whoever adds a fact and then calls tell() or stir().
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._waiting: list[Waiter] = []
        self._looked_for: set[Wanted] | None = None

    def until(self, ask: Callable[[], bool], seconds: float) -> bool:
        """Ask, and ask again whenever something has come that was looked for. Returns the last answer."""
        deadline = now() + seconds
        while True:
            with self.lock:
                with self._looking() as wanted:
                    answer = ask()
                left = deadline - now()
                if answer or left <= 0:
                    return answer
                waiter = Waiter(wanted)
                self._waiting.append(waiter)
            if not waiter.gate.acquire(timeout=left):
                with self.lock:
                    self._waiting = [one for one in self._waiting if one is not waiter]

    def look_for(self, what: str | None, who: str | None) -> None:
        """Somebody reads the timeline. If it is to answer what she waits for, it is kept in mind."""
        if (looked_for := self._looked_for) is not None:
            looked_for.add((what, who))

    def tell(self, what: str, who: str) -> None:
        """Wake those who want such a fact."""
        if self._waiting:
            self._wake([one for one in self._waiting if one.wants(what, who)])

    def stir(self) -> None:
        """Wake everybody: something has changed that is no fact."""
        with self.lock:
            self._wake(list(self._waiting))

    @contextmanager
    def _looking(self) -> Iterator[set[Wanted]]:
        wanted: set[Wanted] = set()
        self._looked_for = wanted
        try:
            yield wanted
        finally:
            self._looked_for = None

    def _wake(self, woken: list[Waiter]) -> None:
        if woken:
            self._waiting = [one for one in self._waiting if one not in woken]
        for one in woken:
            one.gate.release()
