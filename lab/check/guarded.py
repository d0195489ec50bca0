"""The actor that is a participant's command: it takes no orders, and what it prints becomes what the server logged."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from lab.backends.actors import Actor, StageError
from lab.check import guard
from lab.faults import SERVER
from lab.machine import environment
from lab.timeline import Observation, Timeline

END_SECONDS = 5.0
LAST_WORDS_SECONDS = 0.2
"""How long what a command printed last may take to arrive once it has ended."""

SHOWN = 4096
"""How much of a line is told."""


class Lines:
    """One stream of a server, line by line onto the timeline."""

    def __init__(self, actor: Actor, stream: str) -> None:
        self._actor, self._stream = actor, stream
        self._rest = b""

    def hear(self, data: bytes) -> None:
        """Some bytes of it."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._tell(line)
        if len(self._rest) > SHOWN:
            self.end()

    def end(self) -> None:
        """There is no more of this line."""
        rest, self._rest = self._rest, b""
        self._tell(rest)

    def _tell(self, line: bytes) -> None:
        text = line[:SHOWN].decode(errors="replace").rstrip()
        if text:
            actor, said = self._actor, {"level": "info", "logger": self._stream, "text": text, "error": ""}
            actor.log.append(text)
            actor.timeline.record(Observation(actor.timeline.elapsed(), SERVER, "logged", "", said))


class Deaf:
    """The channel of an actor that takes no orders."""

    def __init__(self, let_go: Callable[[], None]) -> None:
        self.close = let_go

    def send(self, data: bytes) -> None:
        """Nobody hears it."""


class Guarded(Actor):
    """A command under guard.

    Attributes:
        ended: the exit code of its own process, once that has ended; what it has started may run on.

    Raises:
        StageError: there is no such command.
    """

    def __init__(self, name: str, timeline: Timeline, argv: Sequence[str], env: Mapping[str, str]) -> None:
        if sys.platform == "win32":
            raise StageError("--command needs process groups and POSIX signals, which Windows does not have")
        reading, writing = os.pipe()
        pipe = subprocess.PIPE
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guard.__file__)), str(writing), *argv],
            bufsize=0,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            pass_fds=[writing],
            env=environment(env),
            start_new_session=True,
        )
        os.close(writing)
        assert self._guard.stdin
        super().__init__(name, timeline, Deaf(self._guard.stdin.close))  # at the end of its input the guard kills
        self.ended: int | None = None
        report = os.fdopen(reading, encoding="utf-8")
        said = report.readline().split()
        self.pid = int(said[1]) if said[:1] == ["started"] else 0
        streams = [_thread(partial(self._listen, stream), f"{name} {stream}") for stream in ("stdout", "stderr")]
        watcher = _thread(lambda: self._watch(report, argv[0], streams), f"{name} guard")
        self._threads = [*streams, watcher]
        if not self.pid:
            self.end()
            raise StageError(f"a guard for {argv[0]!r} cannot be started", tuple(self.log))

    @property
    def gone(self) -> bool:
        """Whether its own process has ended."""
        return self.ended is not None

    def end(self) -> None:
        """Kill the command and all that it has started, and wait until they are gone."""
        self.close()
        try:
            self._guard.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        for thread in self._threads:
            thread.join(LAST_WORDS_SECONDS)

    def _watch(self, report: IO[str], command: str, streams: Sequence[threading.Thread]) -> None:
        with report:
            for line in report:
                what, _, rest = line.rstrip().partition(" ")
                if what == "failed":
                    self.log.append(f"{command}: {rest}")
                    continue
                for thread in streams:  # its last words, before it is known to be gone
                    thread.join(LAST_WORDS_SECONDS)
                code, _, at = rest.partition(" ")
                if what == "ended":
                    self.ended = int(code)
                else:
                    self.exited(int(code), float(at))

    def _listen(self, stream: str) -> None:
        lines = Lines(self, stream)
        with getattr(self._guard, stream) as source:
            while data := source.read(65536):
                lines.hear(data)
        lines.end()


def _thread(run: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
