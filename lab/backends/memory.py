"""What the way between remembers of a client's flows, and what becomes of them when it has forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from lab.backends.faultlink import Direction
from lab.backends.gates import NOWHERE, Gate, Sink, Source, Toll
from lab.clock import Bracket, now


class Memory:
    """When a byte last crossed any flow of a link. All of them are forgotten together.

    Args:
        seconds: the silence after which they are forgotten.
        forget: called once, when they are.

    Attributes:
        forgotten: whether they are.
    """

    def __init__(self, seconds: float, forget: Callable[[Bracket], None]) -> None:
        self.forgotten = False
        self._seconds, self._forget = seconds, forget
        self._loop = asyncio.get_running_loop()
        self._flows: set[Flow] = set()
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, flow: Flow) -> None:
        """One more flow; the silence begins with the first."""
        if not self._flows:
            self.touch()
            self._look()
        self._flows.add(flow)

    def touch(self) -> None:
        """A byte crosses."""
        self._last = self._loop.time()

    def leave(self, flow: Flow) -> None:
        """That flow is over; with the last of them there is nothing to forget."""
        self._flows.discard(flow)
        if not self._flows and self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """Forget, or come back when it may be time: a timer for each byte would cost more than the byte."""
        due = self._last + self._seconds
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._look)
            return
        before = now()
        self.forgotten = True
        self._forget(Bracket(before, now()))


class Flow:
    """One direction of a connection, while it is remembered. After that, the side that sends gets an RST."""

    def __init__(self, toll: Toll, source: Source, memory: Memory) -> None:
        self.toll = toll
        self.onward: Sink = NOWHERE
        self._source, self._memory = source, memory
        memory.enter(self)

    def write(self, data: bytes) -> None:
        """Pass them on; or lose them, and let the sender know."""
        if self._memory.forgotten:
            self._source.reset()
        else:
            self._memory.touch()
            self.onward.write(data)

    def close(self) -> None:
        """Pass it on. A FIN is a segment too: of a flow that is forgotten, it meets an RST."""
        if self._memory.forgotten:
            self._source.reset()
        else:
            self._memory.leave(self)
            self.onward.close()

    def lift(self) -> None:
        """What is forgotten cannot be mended."""
        if self._memory.forgotten:
            self._source.reset()
        self._memory.leave(self)

    def drop(self) -> None:
        """The connection is dead."""
        self._memory.leave(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered(Toll):
    """The fault of a way that forgets.

    Attributes:
        memory: shared by both directions of every connection.
    """

    memory: Memory

    def gate(self, source: Source) -> Gate:
        """One direction of one connection."""
        return Flow(self, source, self.memory)


def idle(memory: Memory) -> list[Toll]:
    """Both directions of a way that forgets."""
    return [Remembered(name="idle", direction=way, delay=0.0, memory=memory) for way in Direction]
