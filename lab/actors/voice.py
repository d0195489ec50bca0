"""How an actor speaks: one JSON line a fact, on the standard output it was started with."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import Context
from itertools import islice
from typing import Any, NamedTuple

from lab.clock import now

QUIET_SECONDS, LATEST_SECONDS = 0.002, 1.0
"""Notes are said when none has come for so long; or after so long, if they do not stop coming."""

AT_ONCE = 100
"""So many notes take less than a millisecond to say."""

Fact = tuple[str, str, float, dict[str, object]]

_lock = threading.Lock()
_fd = 1
_notes: deque[Any] = deque()
"""Of each note its kind, who, when and its values, one after the other: nothing that the garbage collector counts."""


class Kind(NamedTuple):
    """A kind of note.

    Attributes:
        what: a past participle.
        keys: what its values are called.
        detail: makes of the time and the values, when it is said, what is said; None says them as they are.
    """

    what: str
    keys: tuple[str, ...]
    detail: Callable[..., dict[str, object]] | None = None

    def say(self, who: str, at: float, values: tuple[object, ...]) -> Fact:
        """A note as a fact."""
        detail = self.detail(at, *values) if self.detail else dict(zip(self.keys, values, strict=True))
        return self.what, who, at, detail


def take_stdout() -> None:
    """Keep standard output for facts; whatever else prints goes to standard error from now on.

    The application under test may print what it likes: it cannot be taken for a fact.
    """
    global _fd  # noqa: PLW0603  # a process has one standard output
    sys.stdout.flush()
    _fd = os.dup(1)
    os.set_inheritable(_fd, False)
    os.dup2(2, 1)


def observe(what: str, who: str = "", *, at: float | None = None, **detail: object) -> None:
    """Say one fact; before it whatever was noted.

    Args:
        what: a past participle.
        who: the connection it is about.
        at: when it was so, by now(); now if None.
        detail: anything JSON can hold.
    """
    _say((what, who, now() if at is None else at, detail))


def say_notes(most: int = sys.maxsize) -> None:
    """Say now whatever was noted, or so many of it. From any thread."""
    if _notes:
        _say(notes=most)


class Notes:
    """Facts that are said a little later: when ten thousand connections end, the loop has better things to do.

    Made for one event loop; they are noted on its thread.
    """

    def __init__(self) -> None:
        self._waits = False
        self._nobodys = Context()  # in the one of whoever notes something, we would keep alive what is in that

    def note(self, *fact: object) -> None:
        """As observe(), but everything by place: its Kind, who, when, and its values, which JSON knows as atoms."""
        _notes.extend(fact)
        if not self._waits:
            self._waits = True
            self._wait(now() + LATEST_SECONDS)

    def _wait(self, latest: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(QUIET_SECONDS, self._look, latest, len(_notes), context=self._nobodys)

    def _look(self, latest: float, noted: int) -> None:
        """Wait on if more was noted meanwhile."""
        if _notes and len(_notes) != noted and now() < latest:
            self._wait(latest)
        else:
            self._say()

    def _say(self) -> None:
        """Some of them, and the rest when the loop has turned."""
        say_notes(AT_ONCE)
        self._waits = bool(_notes)
        if self._waits:
            asyncio.get_running_loop().call_soon(self._say, context=self._nobodys)


def _say(*facts: Fact, notes: int = sys.maxsize) -> None:
    """What was noted, then the facts, in one go."""
    with _lock:
        data = b"".join(map(_line, (*islice(_noted(), notes), *facts)))
        while data:
            data = data[os.write(_fd, data) :]


def _noted() -> Iterator[Fact]:
    while _notes:
        kind, who, at = _notes.popleft(), _notes.popleft(), _notes.popleft()
        yield kind.say(who, at, tuple(_notes.popleft() for _ in kind.keys))


def _line(fact: Fact) -> bytes:
    what, who, at, detail = fact
    line = {"what": what, "who": who, "at": at, **detail}
    # Half a surrogate pair, which a client may well send, cannot be encoded; as an escape it is still JSON.
    return json.dumps(line, ensure_ascii=False, default=str).encode(errors="backslashreplace") + b"\n"
