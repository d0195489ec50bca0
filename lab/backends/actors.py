"""Actors as the lab holds them: orders go in, facts come out, and their exit is a fact too."""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from lab.timeline import Json, Observation, Timeline

LOG_LINES = 12
"""How much of an actor's log is kept to explain why it did not start."""

LONGEST_FACT = 64 * 1024 * 1024
"""A survey of ten thousand connections takes two megabytes; more than this without a line's end is no fact."""

GARBLED_SHOWN = 80
"""So much of a line that is no fact is shown."""


class StageError(RuntimeError):
    """The stage cannot be set or has fallen apart. The message is one line, fit to be shown.

    Attributes:
        log: the last lines an actor wrote, if that helps.
    """

    def __init__(self, message: str, log: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log = log


class Channel(Protocol):
    """Where an actor's orders go."""

    def send(self, data: bytes) -> None:
        """Write it all. Raises OSError if nobody reads any more."""

    def close(self) -> None:
        """Give the channel up."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How an actor's process ended.

    Attributes:
        code: its exit code; minus the signal's number if a signal ended it.
        at: when that was known, seconds on the lab's clock.
    """

    code: int
    at: float


class Actor:
    """One actor: its order channel, and what it says, put on the timeline.

    Args:
        name: `server`, or a client's name.
        pid: its process id on this machine, or 0 where that means nothing.
        offset: seconds to add to the actor's clock to get the lab's.
    """

    def __init__(self, name: str, timeline: Timeline, channel: Channel, pid: int = 0, offset: float = 0.0) -> None:
        self.name = name
        self.pid = pid
        self.offset = offset
        self.timeline = timeline
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.exit: Exit | None = None
        self._channel = channel
        self._rest = b""
        self._log_rest = b""

    def order(self, do: str, **what: Json) -> None:
        """Give an order. An actor that is gone hears nothing: its absence shows on the timeline."""
        with suppress(OSError):
            self._channel.send(json.dumps({"do": do, **what}).encode() + b"\n")

    def hear(self, data: bytes) -> None:
        """Bytes from its standard output: facts, one a line. What is none is put on the timeline as such."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_FACT:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            fact = _fact(line)
            if fact is None:
                detail: dict[str, Json] = {"line": line[:GARBLED_SHOWN].decode(errors="replace")}
                self.timeline.record(Observation(self.timeline.elapsed(), "lab", "garbled", self.name, detail))
            else:
                self._tell(fact)

    def hear_log(self, data: bytes) -> None:
        """Bytes from its standard error: kept, to explain a failure."""
        *lines, self._log_rest = (self._log_rest + data).split(b"\n")
        self.log.extend(line.decode(errors="replace") for line in lines if line)

    def exited(self, code: int, at: float, left: int = 0) -> None:
        """Its process is gone, and has left so many of its own behind."""
        self.exit = Exit(code, at)
        detail: dict[str, Json] = {"code": code, "left": left} if left else {"code": code}
        self.timeline.record(Observation(self.timeline.elapsed(at), "lab", "exited", self.name, detail))

    def followed(self, command: str) -> None:
        """One of those has ended, or, if it was still there five seconds later, was this command."""
        self.timeline.record(Observation(self.timeline.elapsed(), "lab", "followed", self.name, {"command": command}))

    @property
    def gone(self) -> bool:
        """Whether its process has ended, or it cannot be reached any more."""
        return self.exit is not None

    def why_gone(self) -> StageError:
        """For an actor that is gone though nobody ended it."""
        code = self.exit.code if self.exit else "unknown"
        return StageError(f"{self.name} ended by itself (exit code {code})", tuple(self.log))

    def close(self) -> None:
        """Give up its channel; an embedded actor ends when it sees that."""
        self._channel.close()

    def _tell(self, fact: Fact) -> None:
        at_ms = self.timeline.elapsed(fact.at + self.offset)
        self.timeline.record(Observation(at_ms, self.name, fact.what, fact.who, fact.detail))


@dataclass(frozen=True, slots=True)
class Fact:
    """What an actor says it has seen, by its own clock in seconds."""

    at: float
    what: str
    who: str
    detail: Mapping[str, Json]


def _fact(line: bytes) -> Fact | None:
    """A line as a fact; None if it is none: an application may write to whatever descriptor it finds."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    at, what, who = (said.pop(key, None) for key in ("at", "what", "who"))
    if not (isinstance(at, float) and math.isfinite(at) and isinstance(what, str) and isinstance(who, str)):
        return None
    return Fact(at, what, who, said)


def pump(read: Callable[[], bytes], *hear: Callable[[bytes], None], name: str) -> threading.Thread:
    """A thread that hands whatever `read` returns to `hear`, until there is no more."""

    def run() -> None:
        while data := read():
            for each in hear:
                each(data)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
