"""Actors in containers: orders and facts travel through the engine, so no cut network ever cuts them off."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from lab.backends.actors import Actor, Channel, StageError
from lab.backends.compat import let_go, stream_of
from lab.clock import now
from lab.timeline import Observation, Timeline

T = TypeVar("T")

STDOUT, STDERR = 1, 2
HEADER = struct.Struct(">BxxxL")
"""How the engine frames an attached stream without a terminal: which stream, and how many bytes."""


class Stream(Protocol):
    """The part of a socket that is needed here; on Windows it is a named pipe."""

    def sendall(self, data: bytes) -> None:
        """Write it all."""

    def recv(self, size: int) -> bytes:
        """Read some."""

    def close(self) -> None:
        """Close it."""


class Attached(Channel):
    """The streams of a container, over a connection to the engine that has become a plain stream."""

    def __init__(self, container: Container) -> None:
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._held = call(lambda: container.attach_socket(params=params))
        self._stream: Stream = stream_of(self._held)
        if isinstance(self._stream, socket.socket):
            self._stream.settimeout(None)

    def send(self, data: bytes) -> None:
        """Write it all to the container's standard input."""
        self._stream.sendall(data)

    def read_frame(self) -> tuple[int, bytes] | None:
        """Which stream, and what it said; None when both have ended."""
        header = self._read(HEADER.size)
        if header is None:
            return None
        kind, size = HEADER.unpack(header)
        data = self._read(size)
        return None if data is None else (kind, data)

    def close(self) -> None:
        """Let go of the container; it runs on."""
        if isinstance(self._stream, socket.socket):
            with suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads
        let_go(self._held)
        self._stream.close()

    def _read(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            try:
                more = self._stream.recv(size - len(data))
            except OSError:
                return None
            if not more:
                return None
            data += more
        return data


class ContainerActor(Actor):
    """An actor in a container, attached to as long as its process lives.

    Attributes:
        container: the Docker SDK's handle.
        ended: set when the streams have closed, which is when the process is gone; the engine's own `die`
            event comes 100 ms later, after it has taken the network down (measured).
    """

    def __init__(self, name: str, container: Container, timeline: Timeline) -> None:
        self.container = container
        self.ended = threading.Event()
        self._attached = Attached(container)
        super().__init__(name, timeline, self._attached)
        threading.Thread(target=self._listen, name=f"{name} streams", daemon=True).start()

    def _listen(self) -> None:
        try:
            while (frame := self._attached.read_frame()) is not None:
                kind, data = frame
                if kind == STDOUT:
                    self.hear(data)
                elif kind == STDERR:
                    self.hear_log(data)
        finally:
            self.at_end = now()
            self.ended.set()
            self.timeline.stir()

    @property
    def gone(self) -> bool:
        """Whether its streams have ended: its process has, or the engine is gone."""
        return self.ended.is_set()

    def why_gone(self) -> StageError:
        """For an actor that is gone though nobody ended it: the engine knows why, unless it is gone itself."""
        try:
            call(self.container.reload)
        except StageError as error:
            return error
        state = self.container.attrs["State"]
        return StageError(f"{self.name} ended by itself (exit code {state['ExitCode']})", tuple(self.log))

    def note_exit(self) -> None:
        """Ask the engine for the exit code, once the process is gone, and record it as of when it was."""
        if self.exit is None and self.ended.wait(10.0):
            code = call(lambda: self.container.wait(timeout=10)["StatusCode"])
            self.exited(int(code), self.at_end)

    def measure_clock(self, rounds: int = 5) -> None:
        """Find the offset of its clock to ours: a container may live in a virtual machine of its own.

        Of several rounds the quickest counts: our clock at half its way against theirs. An offset smaller than
        the round trip cannot be told from none, and is none.
        """
        probe = Timeline(self.timeline.header)
        probe.started = 0.0
        kept, self.timeline, self.offset = self.timeline, probe, 0.0
        best: tuple[float, float] | None = None
        for ask in range(1, rounds + 1):
            before = now()
            self.order("clock", ask=ask)
            if not probe.wait_for(lambda seen, ask=ask: _answered(seen, ask), 2.0):  # type: ignore[misc]
                break
            after = now()
            theirs = probe.last("clocked")
            assert theirs is not None
            trip, offset = after - before, (before + after) / 2 - theirs.at / 1000
            best = min(best or (trip, offset), (trip, offset))
        self.timeline = kept
        if best is not None and abs(best[1]) > best[0]:
            self.offset = best[1]


def call(act: Callable[[], T]) -> T:
    """One call to the engine; what it refuses, in one line."""
    try:
        return act()
    except NotFound as error:
        raise StageError(f"the engine has lost something: {error.explanation}") from None
    except (APIError, DockerException) as error:
        raise StageError(f"the engine said no: {getattr(error, 'explanation', None) or error}") from None
    except OSError as error:
        raise StageError(f"the engine is gone: {error}") from None


def _answered(seen: Timeline, ask: int) -> bool:
    last: Observation | None = seen.last("clocked")
    return last is not None and last.number("ask") == ask
