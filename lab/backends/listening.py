"""One thread that hears all actors of a lab: what they say, how they end, and what their fork server has to tell."""

from __future__ import annotations

import os
import selectors
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

Hear = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A descriptor that is listened to.

    Attributes:
        hear: given whatever comes.
        ended: called when no more will come.
    """

    fd: int
    hear: Hear
    ended: Callable[[], None]


class Listener:
    """Reads many pipes in one thread, where the system can wait for several: not on Windows."""

    def __init__(self, name: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._sources: dict[int, Source] = {}
        self._new: deque[Source] = deque()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._leave = False
        self._thread = threading.Thread(target=self._listen, name=name, daemon=True)
        self._thread.start()

    def add(self, fd: int, hear: Hear, ended: Callable[[], None] = lambda: None) -> None:
        """Listen to one more, until it ends; then it is closed. From any thread."""
        os.set_blocking(fd, False)
        self._new.append(Source(fd, hear, ended))
        os.write(self._wake, b"+")

    def drain(self, fds: Iterable[int]) -> None:
        """Hear at once what has come on these. Only from the listener's own thread."""
        self._welcome()
        for source in [self._sources[fd] for fd in fds if fd in self._sources]:
            while self._hear(source):
                pass

    def close(self, seconds: float) -> None:
        """Stop listening. What is still open is closed."""
        self._leave = True
        os.write(self._wake, b"-")
        self._thread.join(seconds)

    def _listen(self) -> None:
        while not self._leave:
            for key, _ in self._selector.select():
                if key.fd == self._woken:
                    with suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                    self._welcome()
                elif (source := self._sources.get(key.fd)) is not None:  # not drained and ended meanwhile
                    self._hear(source)
        self._welcome()
        for source in tuple(self._sources.values()):
            self._let_go(source)
        self._selector.close()
        for fd in (self._woken, self._wake):
            os.close(fd)

    def _welcome(self) -> None:
        while self._new:
            source = self._new.popleft()
            self._sources[source.fd] = source
            self._selector.register(source.fd, selectors.EVENT_READ)

    def _hear(self, source: Source) -> bool:
        """Read once; whether there was something."""
        try:
            data = os.read(source.fd, 65536)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        try:
            if data:
                source.hear(data)
            else:
                self._let_go(source)
        except Exception:  # a bug, and this actor's alone: the others must be heard all the same
            traceback.print_exc()
            self._let_go(source)
        return bool(data)

    def _let_go(self, source: Source) -> None:
        if self._sources.pop(source.fd, None) is not None:
            self._selector.unregister(source.fd)
            os.close(source.fd)
            source.ended()
