"""What a fault does to the bytes of one direction of one connection: delay them, or lose them."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from lab.backends.faultlink import Direction

LOST = -1.0
"""The delay of a byte that never arrives."""


class Sink(Protocol):
    """Where bytes go: a transport, or a gate before one."""

    def write(self, data: bytes, /) -> None:
        """Take these bytes."""

    def close(self) -> None:
        """No more will come. May be called more than once."""


class Source(Protocol):
    """Where bytes come from, and what a gate may ask of it."""

    def pause(self) -> None:
        """Read no more until `resume` has been called as often as `pause`."""

    def resume(self) -> None:
        """Undo one `pause`."""

    def reset(self) -> None:
        """Close this end with an RST; the other end is not told."""


@dataclass(frozen=True, slots=True)
class Toll:
    """A fault in one direction of a link, for every connection of it.

    Attributes:
        name: two tolls of one name and direction are never on together.
        direction: of the bytes it meets.
        delay: seconds every chunk waits; `math.inf` for a stall, LOST for a blackhole.
        window: bytes held before the sender has to wait.
    """

    name: str
    direction: Direction
    delay: float
    window: int = 0

    def gate(self, source: Source) -> Gate:
        """What does it to one connection."""
        return Blackhole(self) if self.delay == LOST else Delay(self, source)


# Toxiproxy's own: three chunks of io.Copy held by a stall, 1,024 by latency.
STALL_WINDOW = 3 * 32 * 1024
LATENCY_WINDOW = 1024 * 32 * 1024


def stall(direction: Direction) -> Toll:
    """Hold everything: a delay without end."""
    return Toll("stall", direction, math.inf, STALL_WINDOW)


def latency(direction: Direction, ms: int) -> Toll:
    """Hold every chunk for so many milliseconds."""
    return Toll("latency", direction, ms / 1000, LATENCY_WINDOW)


def blackhole(direction: Direction) -> Toll:
    """Lose everything."""
    return Toll("blackhole", direction, LOST)


class Nowhere:
    """The sink of what is sent to a peer that has gone."""

    def write(self, data: bytes, /) -> None:
        """Lose them."""

    def close(self) -> None:
        """It is closed."""


NOWHERE = Nowhere()


class Gate(Protocol):
    """A sink that passes things to the next one, `onward`, as its fault would have it."""

    toll: Toll
    onward: Sink

    def write(self, data: bytes, /) -> None:
        """Bytes came in."""

    def close(self) -> None:
        """The end of the stream came in."""

    def lift(self) -> None:
        """The fault is over: let go of everything."""

    def drop(self) -> None:
        """The connection is dead: forget everything."""


class Blackhole:
    """Bytes vanish, the end of the stream passes."""

    def __init__(self, toll: Toll) -> None:
        self.toll = toll
        self.onward: Sink = NOWHERE

    def write(self, data: bytes, /) -> None:
        """Lose them."""

    def close(self) -> None:
        """Pass it on."""
        self.onward.close()

    def lift(self) -> None:
        """Close: bytes are missing, so the stream cannot go on (toxiproxy/toxics/timeout.go, Cleanup)."""
        self.onward.close()

    def drop(self) -> None:
        """There is nothing to forget."""


class Delay:
    """Every chunk waits, and the end of the stream behind the last of them."""

    def __init__(self, toll: Toll, source: Source) -> None:
        self.toll = toll
        self.onward: Sink = NOWHERE
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._held: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._full = self._ended = False
        self._timer: asyncio.TimerHandle | None = None

    def write(self, data: bytes, /) -> None:
        """Keep them, with the time they came."""
        self._held.append((self._loop.time(), data))
        self._size += len(data)
        if self._size > self.toll.window and not self._full:
            self._full = True
            self._source.pause()
        if len(self._held) == 1:
            self._set_timer()

    def close(self) -> None:
        """Pass it on, behind what is held."""
        self._ended = True
        if not self._held:
            self.onward.close()

    def lift(self) -> None:
        """Deliver everything now."""
        self._stop_timer()
        self._release(came_by=math.inf)

    def drop(self) -> None:
        """Forget what is held."""
        self._stop_timer()
        self._held.clear()

    def retime(self, toll: Toll) -> None:
        """Take another delay, for what is already held too."""
        self.toll = toll
        self._set_timer()

    def _release(self, came_by: float) -> None:
        while self._held and self._held[0][0] <= came_by:
            data = self._held.popleft()[1]
            self._size -= len(data)
            self.onward.write(data)
        if self._full and self._size <= self.toll.window:
            self._full = False
            self._source.resume()
        if self._ended and not self._held:
            self.onward.close()

    def _tick(self) -> None:
        self._release(came_by=self._loop.time() - self.toll.delay)
        self._set_timer()

    def _set_timer(self) -> None:
        self._stop_timer()
        if self._held and self.toll.delay < math.inf:
            self._timer = self._loop.call_at(self._held[0][0] + self.toll.delay, self._tick)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
