"""Actors as processes of this machine: forked from a server that has paid the imports, or spawned."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from lab.backends.actors import Actor, StageError, pump
from lab.backends.folders import new_folder
from lab.backends.launch import ForkServer, can_fork
from lab.backends.listening import Listener
from lab.backends.pipe import Pipe
from lab.clock import now
from lab.machine import environment
from lab.timeline import Timeline

START_SECONDS = 20.0
END_SECONDS = 5.0


class Processes(Protocol):
    """Starts actors, and ends them.

    Attributes:
        folder: a folder for their files, which goes when they do.
    """

    folder: Path

    def open(self) -> None:
        """Wait until actors can be started at once."""

    def start(self, name: str, module: str, argv: Sequence[str], env: Mapping[str, str], timeline: Timeline) -> Actor:
        """A new process that runs `module`'s main."""

    def kill(self, actors: Iterable[Actor]) -> None:
        """Kill those that are its own and still run, paused or not. Waits for nobody."""

    def end(self, actor: Actor) -> None:
        """Kill it if it still runs, and wait until it is gone."""

    def close(self) -> None:
        """Leave no process behind."""


class Forked:
    """Actors forked from `lab.backends.forkserver`, which is started at once and imports meanwhile."""

    def __init__(self, server: ForkServer | None = None) -> None:
        self._server = server or ForkServer()
        self._server.taken = True
        self.folder, self._control = Path(self._server.folder), self._server.control
        self._forked: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._starting = threading.Lock()
        self._actors: dict[int, Actor] = {}
        self._streams: dict[int, tuple[int, int]] = {}
        self._exited: dict[int, tuple[int, float, int]] = {}
        self._lock = threading.Condition()
        self._rest = b""
        self._listener = Listener("actors")
        self._listener.add(os.dup(self._control.fileno()), self._hear, self._gone)

    def open(self) -> None:
        """Wait until the fork server has imported everything."""
        if not self._ready.wait(START_SECONDS):
            raise StageError("the fork server does not start; run with LAB_FORK=0 to see why")

    def start(self, name: str, module: str, argv: Sequence[str], env: Mapping[str, str], timeline: Timeline) -> Actor:
        """Fork an actor."""
        stdin, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
        request = json.dumps({"module": module, "argv": list(argv), "env": dict(env)}).encode()
        try:
            with self._starting:  # one request, one answer: stages may be set side by side
                socket.send_fds(self._control, [request], [stdin[0], stdout[1], stderr[1]])
                pid = self._forked.get(timeout=START_SECONDS)
        except (OSError, queue.Empty):
            raise StageError("the fork server is gone; run with LAB_FORK=0 to see why") from None
        finally:
            for fd in (stdin[0], stdout[1], stderr[1]):
                os.close(fd)
        actor = Actor(name, timeline, Pipe(stdin[1]), pid)
        with self._lock:
            self._actors[pid], self._streams[pid] = actor, (stdout[0], stderr[0])
            self._listener.add(stdout[0], actor.hear)
            self._listener.add(stderr[0], actor.hear_log)
            if pid in self._exited:
                actor.exited(*self._exited.pop(pid))
        return actor

    def kill(self, actors: Iterable[Actor]) -> None:
        """SIGKILL, which a paused process obeys too."""
        for actor in actors:
            if actor.exit is None and actor.pid in self._actors:
                with suppress(ProcessLookupError):
                    os.kill(actor.pid, signal.SIGKILL)

    def end(self, actor: Actor) -> None:
        """Kill it, and wait for the fork server's word."""
        actor.close()
        self.kill((actor,))
        with self._lock:
            self._lock.wait_for(lambda: actor.exit is not None, END_SECONDS)
            self._actors.pop(actor.pid, None)
            self._streams.pop(actor.pid, None)

    def close(self) -> None:
        """Hang up: the fork server kills and buries what is left, removes the folder, and ends."""
        self._server.end(ready=self._ready.is_set())
        self._listener.close(END_SECONDS)

    def _gone(self) -> None:
        """Whoever was still there went with the fork server."""
        with self._lock:
            for actor in self._actors.values():
                if actor.exit is None:
                    actor.exited(-9, now())
            self._lock.notify_all()

    def _hear(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._fact(json.loads(line))

    def _fact(self, fact: Mapping[str, Any]) -> None:
        if "ready" in fact:
            self._ready.set()
            return
        if "forked" in fact:
            self._forked.put(int(fact["forked"]))
            return
        with self._lock:
            if "followed" in fact:
                if actor := self._actors.get(int(fact["followed"])):
                    actor.followed(str(fact["command"]))
                return
            pid, end = int(fact["exited"]), (int(fact["code"]), float(fact["at"]), int(fact["left"]))
            if pid in self._actors:
                self._listener.drain(self._streams[pid])  # its last words, before it is known to be gone
                self._actors[pid].exited(*end)
            else:
                self._exited[pid] = end
            self._lock.notify_all()


class Spawned:
    """Actors started afresh, where nothing can be forked (Windows) or LAB_FORK=0 says so."""

    def __init__(self) -> None:
        self.folder = Path(new_folder())
        self._processes: dict[int, tuple[subprocess.Popen[bytes], threading.Thread]] = {}

    def open(self) -> None:
        """Nothing to wait for: each actor pays for itself."""

    def start(self, name: str, module: str, argv: Sequence[str], env: Mapping[str, str], timeline: Timeline) -> Actor:
        """Spawn an actor."""
        windows = sys.platform == "win32"
        process = subprocess.Popen(
            [sys.executable, "-m", module, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **env}),
            start_new_session=not windows,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        assert process.stdin
        assert process.stdout
        assert process.stderr
        actor = Actor(name, timeline, Pipe(os.dup(process.stdin.fileno())), process.pid)
        process.stdin.close()
        _listen_to(actor, os.dup(process.stdout.fileno()), os.dup(process.stderr.fileno()))
        process.stdout.close()
        process.stderr.close()

        def await_exit() -> None:
            code, at = process.wait(), now()
            if not windows:
                with suppress(ProcessLookupError, PermissionError):  # what it leaves of its session ends with it
                    os.killpg(process.pid, signal.SIGKILL)
            actor.exited(code, at)

        waiter = threading.Thread(target=await_exit, name=f"{name} exit", daemon=True)
        waiter.start()
        self._processes[process.pid] = (process, waiter)
        return actor

    def kill(self, actors: Iterable[Actor]) -> None:
        """Kill them."""
        for actor in actors:
            if actor.exit is None and actor.pid in self._processes:
                self._processes[actor.pid][0].kill()

    def end(self, actor: Actor) -> None:
        """Kill it and wait."""
        actor.close()
        self.kill((actor,))
        _, waiter = self._processes.pop(actor.pid)
        waiter.join(END_SECONDS)

    def close(self) -> None:
        """Kill whatever is left."""
        for process, _ in self._processes.values():
            process.kill()
        for _, waiter in self._processes.values():
            waiter.join(END_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)


def open_processes(server: ForkServer | None = None) -> Processes:
    """Forked where the system can fork, else spawned.

    Args:
        server: one that was started already.
    """
    return Forked(server) if server is not None or can_fork() else Spawned()


def _listen_to(actor: Actor, stdout: int, stderr: int) -> None:
    for fd, hear in ((stdout, actor.hear), (stderr, actor.hear_log)):
        pump(_reader(fd), hear, name=f"{actor.name} {fd}")


def _reader(fd: int) -> Callable[[], bytes]:
    def read() -> bytes:
        data = os.read(fd, 65536)
        if not data:
            os.close(fd)
        return data

    return read
